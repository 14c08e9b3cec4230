"""A plan becomes an image; what was decided about its files is remembered with their layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cannery.image.content import Inline
from cannery.image.platform import Platform
from cannery.image.tree import Decision, File, LazyTree, Tree
from cannery.project.config import load
from cannery.recipes.build import build_plan, mending
from cannery.recipes.plan import Plan
from cannery.workspace.files import OtherFilesError

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

KEPT = Decision("/a", "strip", "its section headers are damaged", 1)


def test_decisions_are_told_by_a_later_build_that_packs_nothing(
    make_project: MakeProject, workspace: Workspace
) -> None:
    tree = LazyTree("key", lambda: Tree({"/a": File(Inline(b"x"))}, (KEPT,)))
    app = load(make_project({"main.py": ""}))
    plan = Plan(app, (("app", tree),), {}, Platform("linux", "amd64"))
    first = build_plan(plan, workspace, level=6)
    second = build_plan(plan, workspace, level=6)
    assert first.packed == {"app", "sbom"}
    assert second.packed == frozenset()
    assert first.decisions == second.decisions == (KEPT,)


def test_where_a_file_has_changed_the_machine_is_looked_at_again(workspace: Workspace) -> None:
    several = replace(workspace, looked_at={})
    place = several.cache.root / "layers" / "entry"
    seen: list[str] = []

    def make() -> str:
        seen.append(several.once("of a Python", lambda: f"look {len(seen)}"))
        if len(seen) == 1:
            raise OtherFilesError("file", place)
        return seen[-1]

    assert mending(make, several) == "look 1"
