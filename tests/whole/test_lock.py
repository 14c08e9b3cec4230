"""``cannery lock``: the same image from any machine, or a message that says what differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from cannery.errors import RuntimeTreeError
from cannery.python.interpreter import installed_python
from cannery.workspace.process import find_uv, run
from tests.support.command import cannery
from tests.support.prerequisites import absent
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.registry import Base

pytestmark = [pytest.mark.once, pytest.mark.slow]

LOCKED = {
    "main.py": "import sys; print(sys.version)\n",
    "pyproject.toml": """
        [project]
        name = "app"
        version = "1"
        requires-python = ">=3.11"

        [tool.cannery]
        recipe = "tiny"
        runtime = "debian:trixie"
    """,
}
PLATFORMS = "--platform=linux/amd64,linux/arm64"


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment of another minor version, with cannery in it."""
    folder = tmp_path_factory.mktemp("other") / "venv"
    for minor in ("3.14", "3.13", "3.12"):
        if sys.version_info[:2] != tuple(map(int, minor.split("."))):
            with suppress(RuntimeTreeError):
                python = installed_python(minor, run)
                subprocess.run([find_uv(), "venv", "--quiet", "--python", str(python), str(folder)], check=True)
                same = f"certifi=={version('certifi')}"  # which the lock names
                install = [find_uv(), "pip", "install", "--quiet", "--python", str(folder), f"{ROOT}[packages]", same]
                subprocess.run(install, check=True)
                return folder / "bin"
    absent("a second Python, of 3.12 or later")
    raise AssertionError


def test_another_python_with_an_empty_cache_makes_the_same_index(
    make_project: MakeProject, other_python: Path, tmp_path: Path
) -> None:
    project = make_project(LOCKED)
    assert cannery("lock", PLATFORMS, cwd=project).code == 0
    digest = cannery("image", "--locked", "--json", PLATFORMS, cwd=project).report["digest"]

    elsewhere = make_project(LOCKED, "elsewhere")
    (project / "cannery.lock").rename(elsewhere / "cannery.lock")
    environment = {
        **os.environ,
        "CANNERY_CACHE": str(tmp_path / "cache"),
        "PATH": f"{other_python}:{os.environ['PATH']}",
    }
    command = [str(other_python / "cannery"), "image", "--locked", "--json", PLATFORMS]
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["digest"] == digest


def test_what_is_locked_is_taken_and_nothing_newer(make_project: MakeProject) -> None:
    project = make_project(LOCKED)
    report = cannery("lock", "--json", cwd=project).report
    assert {each["platform"] for each in report["runtime"]} >= {"linux/amd64", "linux/arm64"}
    lock = project / "cannery.lock"
    digest = next(p["sha256"] for p in report["runtime"][0]["packages"] if p["name"] == "tzdata")
    lock.write_text(lock.read_text().replace(digest, "0" * 64))
    outcome = cannery("image", cwd=project)
    assert outcome.code == 5
    assert "is another file than the signed list of packages says" in outcome.stderr


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--runtime=debian:bookworm",), "it has no Python of debian:bookworm"),
        (("--python=3.14",), "it has no Python of debian:trixie"),
        (("--compile",), "it has no cython"),
    ],
)
def test_a_lock_for_other_settings_is_out_of_date(flags: tuple[str, ...], told: str, locked_project: Path) -> None:
    outcome = cannery("image", *flags, cwd=locked_project)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "cannery.lock is out of date" in outcome.stderr
    assert told in outcome.stderr
    assert outcome.stderr.rstrip().endswith("Next: cannery lock")


@pytest.fixture
def locked_project(make_project: MakeProject) -> Path:
    project = make_project(LOCKED)
    assert cannery("lock", cwd=project).code == 0
    return project


def test_other_tools_are_refused_by_name(locked_project: Path) -> None:
    lock = locked_project / "cannery.lock"
    lock.write_text(lock.read_text().replace('certifi = "', 'certifi = "1'))
    outcome = cannery("image", cwd=locked_project)
    assert outcome.code == 2
    assert "this machine has other tools than cannery.lock" in outcome.stderr
    assert "Next: pip install certifi==1" in outcome.stderr


def test_another_zlib_is_refused(locked_project: Path) -> None:
    lock = locked_project / "cannery.lock"
    lock.write_text(lock.read_text().replace('zlib = "sha256:', 'zlib = "sha256:0'))
    outcome = cannery("image", cwd=locked_project)
    assert outcome.code == 2
    assert "this machine's zlib compresses otherwise" in outcome.stderr


def test_without_a_lock_locked_is_refused(make_project: MakeProject) -> None:
    outcome = cannery("image", "--locked", cwd=make_project({"main.py": "print(1)\n"}))
    assert (outcome.code, outcome.stderr) == (
        2,
        "error: --locked, and the project has no cannery.lock\nNext: cannery lock\n",
    )


def test_a_base_stays_what_it_was(make_project: MakeProject, slim_base: Base) -> None:
    settings = f'[tool.cannery]\nrecipe = "slim"\nbase = "{slim_base.reference}"\n'
    project = make_project({"main.py": "print(1)\n", "pyproject.toml": settings})
    (locked,) = cannery("lock", "--json", cwd=project).report["base"]
    assert locked["name"] == slim_base.reference
    base = cannery("image", "--locked", "--refresh", "--json", cwd=project).report["base"]
    assert base["digest"] == locked["digest"]
    (project / "cannery.lock").write_text((project / "cannery.lock").read_text().replace("[[base]]", "[[base]]#"))
    assert cannery("image", "--base", f"{slim_base.reference}-other", cwd=project).code == 2
