"""One executable holds several commands, and runs the one that it's called by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.commands_project import COMMANDS, SAID

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

SETTINGS = COMMANDS["pyproject.toml"].replace('entry = "main.py"', "")
FILES = {**COMMANDS, "pyproject.toml": SETTINGS, "Procfile": "web: python main.py --port $PORT\n"}
# A script with a name that no import statement takes is no module, and PyInstaller has modules alone.
MODULES = {**FILES, "pyproject.toml": SETTINGS.replace('odd = "bin/odd-tool.py x"', "")}


def frozen(folder: Path, *flags: str, **env: str) -> Path:
    command = [sys.executable, "-m", "cannery", "freeze", "--json", *flags]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["path"])


def said_by(program: Path, name: str | None, *arguments: str, **env: str) -> tuple[int, str]:
    """The exit code and the output of a program that is called by a link with that name."""
    called = program if name is None else program.with_name(name)
    if not called.exists():
        called.symlink_to(program.name)
    environment = {**os.environ, **env}
    done = subprocess.run([called, *arguments], capture_output=True, text=True, check=False, env=environment)
    assert done.stderr == ""
    return done.returncode, done.stdout


def assert_all_start(program: Path, *left_out: str) -> None:
    names = SAID.keys() - set(left_out)
    assert {name: said_by(program, name, "more") for name in names} == {name: SAID[name] for name in names}
    assert said_by(program, None) == (0, "main ['--port', '8000']\n")
    assert said_by(program, None, PORT="80") == (0, "main ['--port', '80']\n")


def test_linked_by_zig(make_project: MakeProject, kit: Path, cache: Path) -> None:
    env = {"CANNERY_KIT": str(kit), "CANNERY_CACHE": str(cache)}
    assert_all_start(frozen(make_project(FILES), "--recipe=static", **env))


def test_bundled_by_pyinstaller_in_one_file(make_project: MakeProject) -> None:
    assert_all_start(frozen(make_project(MODULES), "--recipe=onefile"), "odd")


def test_bundled_by_pyinstaller_in_a_folder(make_project: MakeProject) -> None:
    folder = frozen(make_project(MODULES), "--form=folder")
    assert_all_start(folder / "project", "odd")


def test_a_script_that_is_no_module_is_refused_by_name(make_project: MakeProject) -> None:
    command = [sys.executable, "-m", "cannery", "freeze", "--recipe=onefile"]
    done = subprocess.run(command, cwd=make_project(FILES), capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "no way to start bin/odd-tool.py as a command" in done.stderr
