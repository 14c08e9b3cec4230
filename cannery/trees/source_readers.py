"""The packages of a tree that can't do without sources: found by reading it once, remembered under its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.modules import named_by
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree
    from cannery.workspace.workspace import Workspace

__all__ = ["caller_readers", "module_readers", "readers_at_import", "source_readers"]

_TESTS = {"test", "tests"}  # folders that no program imports


def source_readers(
    wheels: LazyTree, site_packages: str, workspace: Workspace, without: tuple[str, ...] = ()
) -> dict[str, str]:
    """Package or module -> the line of it that reads sources and doesn't go on without: ``sanic/x/base.py:26``.

    Packages that ``without`` names are left out.
    """
    known = _known(wheels, site_packages, workspace)["any"]
    return {name: line for name, line in known.items() if not named_by(name, without)}


def readers_at_import(
    wheels: LazyTree, site_packages: str, workspace: Workspace, without: tuple[str, ...] = ()
) -> dict[str, str]:
    """Those of the :func:`source_readers` that can't even be imported without sources."""
    known = _known(wheels, site_packages, workspace)["importing"]
    return {name: line for name, line in known.items() if not named_by(name, without)}


def caller_readers(wheels: LazyTree, site_packages: str, workspace: Workspace) -> dict[str, str]:
    """Package or module -> the line of it that can't do without the source of those who call it."""
    return _known(wheels, site_packages, workspace)["callers"]


def module_readers(wheels: LazyTree, site_packages: str, workspace: Workspace) -> dict[str, str]:
    """Package or module -> the line of it that opens sources, where it also asks for others' modules where they lie.

    Tools that read programs do: they take a module without a source for an empty one, and raise nothing.
    """
    known = _known(wheels, site_packages, workspace)
    return {name: line for name, line in known["opening"].items() if name in known["finding"]}


def _known(wheels: LazyTree, site_packages: str, workspace: Workspace) -> dict[str, dict[str, str]]:
    key = key_of("source readers", code_key(__name__), wheels.key, site_packages)
    known = workspace.cache.recall("source-readers", key)
    if known is None:
        from cannery.trees.transforms import read_sources  # noqa: PLC0415  # where something is made

        looked_for = {
            "any": read_sources.reading_lines,
            "importing": read_sources.reading_lines_at_import,
            "callers": read_sources.lines_about_callers,
            "opening": read_sources.opening_lines,
            "finding": read_sources.finding_lines,
        }
        known = {kind: {} for kind in looked_for}
        for path, file in wheels.tree.files():
            shown = path.removeprefix(f"{site_packages}/")
            is_code = path.endswith(".py") and shown != path and _TESTS.isdisjoint(shown.split("/"))
            for kind, lines_of in looked_for.items() if is_code else ():
                if lines := lines_of(file):
                    known[kind].setdefault(shown.partition("/")[0].removesuffix(".py"), f"{shown}:{lines[0]}")
        workspace.cache.remember("source-readers", key, known)
    return known
