"""The same bytes from other folders, at other times, with another umask, by another user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.images.conftest import build

if TYPE_CHECKING:
    from tests.conftest import MakeProject

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


def test_two_folders_times_and_caches_give_one_digest(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
        digests.add(build(project, tmp_path / f"{number}.tar").report["digest"])
    assert len(digests) == 1
    assert (tmp_path / "0.tar").read_bytes() == (tmp_path / "1.tar").read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_with_another_umask_gets_the_same_digest(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project(PROJECT)
    mine = build(project, tmp_path / "mine.tar").report["digest"]
    theirs = tmp_path / "theirs"
    shutil.copytree(project, theirs / "project")
    _give_away(theirs)
    open_to_all = Path(sys.executable).resolve().parents[1].stat().st_mode & 0o005
    if not open_to_all or not _reachable_by_all(Path(sys.executable)):
        pytest.skip(f"{sys.executable} lies where other users can't reach it")
    script = (
        "import json, subprocess, sys; out = subprocess.run([sys.executable, '-m', 'cannery', 'image', '--json'], "
        "capture_output=True, text=True); print(out.stderr, file=sys.stderr); print(json.loads(out.stdout)['digest'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=theirs / "project",
        env={**os.environ, "HOME": str(theirs), "CANNERY_CACHE": str(theirs / "cache")},
        user=65534, group=65534, extra_groups=[], umask=0o077, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == mine, done.stderr


def _give_away(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)


def _reachable_by_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (*path.parents, *path.resolve().parents))
