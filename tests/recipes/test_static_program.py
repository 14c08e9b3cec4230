"""The parts of a static executable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.executable.kit.kit import Kit
from cannery.executable.kit.toolchain import native_target
from cannery.executable.static.libraries import LinkedLibraries
from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.project.config import load
from cannery.python.interpreter import describe
from cannery.recipes.static_program.parts import ExecutableParts
from cannery.recipes.static_program.places import host_of_kit, left_out_of, places_of
from cannery.trees.app import app_tree
from cannery.trees.shaken import reach_with

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

TRYING = "try:\n    import {name}\nexcept SyntaxError:\n    pass\n"


def parts_of(folder: Path, wheels: dict[str, str], workspace: Workspace) -> ExecutableParts:
    """The parts of a project for a kit that has this test's own Python."""
    app = load(folder)
    python = describe(Path(sys.executable), workspace)
    kit = Kit(folder, "kit", native_target(), python, ())
    files = {f"{python.image_site_packages}/{name}": File(Inline(text.encode())) for name, text in wheels.items()}
    own = app_tree(app, workspace)
    out = left_out_of(app, kit, workspace)
    places = places_of(app, kit, own, LazyTree("wheels", lambda: Tree(files)), out)
    reach = reach_with(app, places, host_of_kit(kit, out, workspace), workspace)
    return ExecutableParts(app, kit, places, reach, out.names, {}, lambda: LinkedLibraries({}), workspace)


@pytest.mark.slow
def test_a_dependency_s_module_that_is_no_python_stays_out_and_is_told(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project({"main.py": TRYING.format(name="broken, fine"), "pyproject.toml": ""})
    parts = parts_of(folder, {"broken.py": "return 1\n", "fine.py": ""}, workspace)
    archive, (decision,) = parts.archive()
    assert "fine" in archive.modules
    assert "broken" not in archive.modules
    assert (Path(decision.path).name, decision.tried, decision.size) == ("broken.py", "make bytecode", 9)
    why = f"it is no Python {parts.kit.interpreter.version_text}: line 1: 'return' outside function"
    assert decision.why == why


@pytest.mark.slow
def test_a_module_that_is_left_out_is_absent_or_has_a_stand_in_and_what_only_it_needs_is_gone(
    make_project: MakeProject, workspace: Workspace
) -> None:
    settings = '[tool.cannery.static]\nwithout = ["ssl", "wave", "gone", "extra"]\n'
    files = {"main.py": "import ssl, wave, gone.part, extra, fine\n", "gone/part.py": "", "pyproject.toml": settings}
    parts = parts_of(make_project(files), {"extra/__init__.py": "", "extra/data.txt": "", "fine.py": ""}, workspace)
    modules = parts.reach.modules
    assert {"ssl", "wave", "fine"} <= modules.keys()
    assert not {"_ssl", "base64", "gone.part", "extra"} & modules.keys()
    assert parts.left_out == {
        "ssl": "ssl",
        "_ssl": "ssl",
        "_hashlib": "ssl",
        "wave": "wave",
        "gone": "gone",
        "extra": "extra",
    }
    archive, _ = parts.archive()
    content = archive.modules["ssl"].bytecode
    assert content is not None
    with content.open() as stream:
        assert b"[tool.cannery.static] without" in stream.read()


@pytest.mark.slow
def test_paths_of_bytecode_are_in_its_order(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import fine\n", "pyproject.toml": ""})
    archive, decisions = parts_of(folder, {"fine.py": ""}, workspace).archive()
    assert decisions == ()
    assert len(archive.bytecode_paths) == len(archive.bytecode)
    fine = next(position for position, path in enumerate(archive.bytecode_paths) if path.endswith("/fine.py"))
    content = archive.modules["fine"].bytecode
    assert content is not None
    with content.open() as stream:
        assert stream.read().endswith(archive.bytecode[fine])


def test_the_app_s_own_must_be_python(make_project: MakeProject, workspace: Workspace) -> None:
    files = {"main.py": "import later\n", "later.py": "def = 1\n", "pyproject.toml": ""}
    with pytest.raises(ProjectError, match="invalid syntax"):
        parts_of(make_project(files), {}, workspace).archive()
