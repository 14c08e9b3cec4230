"""The session ``export``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cannery.workspace.process import find_uv, run
from tests.support.locked_projects import make_poetry_project, make_uv_project
from tests.support.nox_projects import NOXFILE, nox, says

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.mark.parametrize("make", [make_uv_project, make_poetry_project])
def test_a_lock_becomes_files_that_install(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    folder = make(tmp_path)
    (folder / "noxfile.py").write_text(NOXFILE)
    code, text = nox(folder, "-s", "export")
    assert code == 0
    assert says(text, "wrote requirements.txt", "wrote requirements-test.txt")
    install = [find_uv(), "pip", "install", "--require-hashes", f"--python={sys.executable}", "--target=site"]
    run([*install, "-r", "requirements.txt", "-r", "requirements-test.txt"], cwd=folder)
    assert {"iniconfig", "pluggy"} <= {path.name for path in (folder / "site").iterdir()}


def test_settings_say_what_is_written(tmp_path: Path) -> None:
    folder = make_uv_project(tmp_path)
    (folder / "noxfile.py").write_text(NOXFILE)
    with (folder / "pyproject.toml").open("a") as pyproject:
        pyproject.write('[tool.cannery.export."dev.txt"]\nproject = false\ngroups = ["dev"]\n')
    nox(folder, "-s", "export")
    assert "packaging==" in (folder / "dev.txt").read_text()
    assert not (folder / "requirements.txt").exists()


def test_what_cannot_be_exported_is_said_without_a_traceback(make_project: MakeProject) -> None:
    code, text = nox(make_project({"noxfile.py": NOXFILE}), "-s", "export")
    assert code == 1
    assert says(text, "there is no lock to export", "Next: write what is required into requirements.in")
    assert "Traceback" not in text
