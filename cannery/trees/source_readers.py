"""The packages of a tree that can't do without sources: found by reading it once, remembered under its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.modules import named_by
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree
    from cannery.workspace.workspace import Workspace

__all__ = ["source_readers"]

_TESTS = {"test", "tests"}  # folders that no program imports


def source_readers(
    wheels: LazyTree, site_packages: str, workspace: Workspace, without: tuple[str, ...] = ()
) -> dict[str, str]:
    """Package or module -> the line of it that reads sources and doesn't go on without: ``sanic/x/base.py:26``.

    Packages that ``without`` names are left out.
    """
    key = key_of("source readers", code_key(__name__), wheels.key, site_packages)
    known = workspace.cache.recall("source-readers", key)
    if known is None:
        from cannery.trees.transforms.read_sources import reading_lines  # noqa: PLC0415  # where something is made

        known = {}
        for path, file in wheels.tree.files():
            shown = path.removeprefix(f"{site_packages}/")
            is_code = path.endswith(".py") and shown != path and _TESTS.isdisjoint(shown.split("/"))
            if is_code and (lines := reading_lines(file)):
                known.setdefault(shown.partition("/")[0].removesuffix(".py"), f"{shown}:{lines[0]}")
        workspace.cache.remember("source-readers", key, known)
    return {name: line for name, line in known.items() if not named_by(name, without)}
