"""The same bytes from other folders, at other times, with another umask, by another user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.built_image import build

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow

PROJECT = {
    "pyproject.toml": """
        [project]
        name = "hello"
        version = "1.0"
        scripts = {hello = "hello.cli:main"}
    """,
    "src/hello/__init__.py": "",
    "src/hello/cli.py": "LETTERS = {'a', 'b', 'c', 'dd', 'ee'}\n\ndef main():\n    print('hello')\n",
    "src/hello/data.txt": "data",
}


@pytest.mark.parametrize(
    "flags", [(), pytest.param(("--compile",), marks=pytest.mark.once)], ids=["bytecode", "compiled"]
)
def test_two_folders_times_and_caches_give_one_digest(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    digests = set()
    for number, folder in enumerate(("one", "another/deeper")):
        project = make_project(PROJECT, folder="x") if not number else tmp_path / folder
        if number:
            shutil.copytree(tmp_path / "x", project)
        for path in project.rglob("*"):
            os.utime(path, (10**9 * number, 10**9 * number))
        monkeypatch.setenv("CANNERY_CACHE", str(tmp_path / f"cache-{number}"))
        monkeypatch.setenv("PYTHONHASHSEED", str(number + 1))
        digests.add(build(project, tmp_path / f"{number}.tar", *flags).report["digest"])
    assert len(digests) == 1
    assert (tmp_path / "0.tar").read_bytes() == (tmp_path / "1.tar").read_bytes()


@pytest.mark.once
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_with_another_umask_gets_the_same_digest(make_project: MakeProject, tmp_path: Path) -> None:
    mine = build(make_project(PROJECT), tmp_path / "mine.tar").report["digest"]
    theirs = tmp_path / "theirs"
    shutil.copytree(tmp_path / "project", theirs / "project")
    for path in (theirs, *theirs.rglob("*")):
        os.chown(path, 65534, 65534)
    # The Python that runs the tests may lie in root's home: its files can be read, and nothing else is allowed.
    somebody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    done = subprocess.run(
        [*somebody, *reading, sys.executable, "-m", "cannery", "image", "--json"],
        cwd=theirs / "project",
        env={**os.environ, "HOME": str(theirs), "CANNERY_CACHE": str(theirs / "cache")},
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["digest"] == mine
