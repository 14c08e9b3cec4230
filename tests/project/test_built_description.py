"""What no file of a project tells is asked of its build backend, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.project.app import FunctionEntry
from cannery.project.config import load
from tests.support.own_backend import own_backend

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

DYNAMIC = '[project]\nname = "app"\ndynamic = ["version", "scripts", "entry-points"]\n'
POINTS = "[console_scripts]\nrun = app:main\n\n[app.plugins]\nCase = app:main\n"
VERSION = "__import__('re').search('[0-9.]+', open('app/version.py').read())[0]"
FILES = {"app/__init__.py": "def main(): ...\n", "app/version.py": "VERSION = '3.1'\n", "app/other.py": ""}


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the backend notes its calls in; uv needs no network for what the project itself holds."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("CANNERY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NOTE_CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def test_version_and_commands_come_from_the_backend(make_project: MakeProject, calls: Path) -> None:
    app = load(make_project(own_backend("app", project=DYNAMIC, version=VERSION, entry_points=POINTS, files=FILES)))
    assert app.entry == FunctionEntry("run", "app", "main")
    assert app.metadata.version == "3.1"
    assert app.metadata.entry_points == (
        ("app.plugins", (("Case", "app:main"),)),
        ("console_scripts", (("run", "app:main"),)),
    )
    assert calls.read_text().split() == ["metadata"]


def test_what_a_backend_asks_for_elsewhere_is_not_awaited(make_project: MakeProject, calls: Path) -> None:
    """Its marker doesn't hold here, so it's lacking whatever is installed."""
    files = own_backend("app", project=DYNAMIC, version=VERSION, entry_points=POINTS, files=FILES)
    asks = "def get_requires_for_build_wheel(config_settings=None):\n    return ['elsewhere; python_version < \"3\"']\n"
    files["backend.py"] += f"\n\n{asks}"
    app = load(make_project(files))
    assert app.metadata.version == "3.1"
    assert calls.read_text().split() == ["metadata"]


def test_it_is_asked_again_only_when_what_decides_has_changed(make_project: MakeProject, calls: Path) -> None:
    folder = make_project(own_backend("app", project=DYNAMIC, version=VERSION, entry_points=POINTS, files=FILES))
    load(folder)
    (folder / "app" / "other.py").write_text("x = 1\n")
    load(folder)
    assert calls.read_text().split() == ["metadata"]
    (folder / "app" / "version.py").write_text("VERSION = '3.2'\n")
    assert load(folder).metadata.version == "3.2"
    assert calls.read_text().split() == ["metadata"] * 2
    assert {path.name for path in folder.iterdir()} == {"app", "backend.py", "pyproject.toml"}


def test_a_backend_that_does_not_answer_is_told(make_project: MakeProject, calls: Path) -> None:
    dynamic = '[project]\nname = "app"\ndynamic = ["version"]\nscripts = {run = "app:main"}\n'
    app = load(make_project(own_backend("app", project=dynamic, version="1 / 0", files=FILES)))
    assert app.metadata.version is None
    assert "the build backend of project (backend) doesn't tell its metadata" in app.notes[0]
    assert not calls.exists()


def test_a_version_of_the_settings_asks_nobody(make_project: MakeProject, calls: Path) -> None:
    dynamic = '[project]\nname = "app"\ndynamic = ["version"]\nscripts = {run = "app:main"}\n'
    folder = make_project(own_backend("app", project=dynamic, files=FILES))
    assert load(folder, {"version": "9"}).metadata.version == "9"
    assert not calls.exists()


def test_a_project_of_setup_py_alone_without_an_answer_needs_an_entry(make_project: MakeProject, calls: Path) -> None:
    folder = make_project({"setup.py": "raise SystemExit('broken')\n", "a.py": "", "b.py": ""})
    with pytest.raises(ProjectError, match="no entry point"):
        load(folder)
    assert not calls.exists()
