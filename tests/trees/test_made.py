"""Modules that a project's build backend makes go in, and nothing is left of the build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.project.config import load
from cannery.trees.app import app_tree
from tests.support.own_backend import own_backend
from tests.support.tree_contents import contents

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

PROJECT = '[project]\nname = "app"\nversion = "1.0"\n[project.scripts]\napp = "app:main"\n'
# As hatch-vcs, setuptools-scm and others do: the file lies among the sources, and in the wheel
MAKES = "pathlib.Path(NAME, '_version.py').write_text(f'version = {VERSION!r}')\n    files |="


def project(text: str) -> dict[str, str]:
    files = own_backend(
        "app", project=PROJECT, files={"app/__init__.py": f"{text}\nmain = None", "app/core.py": "from . import core"}
    )
    return {**files, "backend.py": files["backend.py"].replace("files |=", MAKES)}


@pytest.mark.parametrize(
    "text",
    [
        "from app._version import version",
        "from ._version import version",
        "from . import _version",
        "try:\n    from ._version import version\nexcept ImportError:\n    version = 'unknown'",
    ],
)
def test_a_module_that_the_backend_makes_is_there(make_project: MakeProject, workspace: Workspace, text: str) -> None:
    folder = make_project(project(text))
    own = app_tree(load(folder), workspace)
    assert contents(own.code.tree)["/app/app/_version.py"] == b"version = '1.0'"
    assert "goes in, as the project's build backend makes it: app/_version.py" in own.notes
    assert not (folder / "app/_version.py").exists()


@pytest.mark.parametrize("text", ["from .core import x", "from . import core, name\nname = 1", "import app.core"])
def test_the_backend_is_not_asked_for_what_is_there(
    make_project: MakeProject, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    folder = make_project(project(text))
    monkeypatch.setenv("NOTE_CALLS", str(folder.parent / "calls"))
    app_tree(load(folder), workspace)
    assert not (folder.parent / "calls").exists()


def test_a_backend_that_fails_is_told(make_project: MakeProject, workspace: Workspace) -> None:
    files = project("try:\n    from ._version import version\nexcept ImportError:\n    pass")
    own = app_tree(load(make_project({**files, "backend.py": "raise SystemExit('no compiler')"})), workspace)
    assert any("app._version is imported and isn't there, and the project doesn't build" in note for note in own.notes)
    assert any("no compiler" in note for note in own.notes)
