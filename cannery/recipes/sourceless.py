"""A copy of a project in which its own packages are compiled, for its tests: what ``nox -s tests_compiled`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.folder import merge_tree
from cannery.project.copies import copy_project, remove_sources
from cannery.project.interpreter import interpreter_for
from cannery.python.wheel import write_wheel
from cannery.recipes.packages import built_packages, compile_packages, own_packages, wheel_tag

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.image.tree import Tree
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["copy_without_sources"]


def copy_without_sources(app: App, workspace: Workspace, target: Path, *, package: bool) -> Path | None:
    """Copy the project to ``target`` without the sources of its packages, so that nothing there can import those.

    The extension modules lie where the sources lay; those of a ``package``, which is installed, in a wheel beside
    ``target``, whose path is returned.
    """
    python = interpreter_for(app, workspace)
    packages = built_packages(app, python, workspace) if package else own_packages(app, workspace)
    compiled = compile_packages(packages, app, python, workspace)
    copy_project(app.folder, target)
    for top, sources in _sources(packages.tree).items():
        root = remove_sources(target, sources)
        if not package:
            merge_tree(_below(compiled, top), root)
    return write_wheel(compiled, target.parent, wheel_tag(app, python, workspace)) if package else None


def _sources(tree: Tree) -> dict[str, dict[str, bytes]]:
    """The sources by their top-level module or package, each with its content."""
    found: dict[str, dict[str, bytes]] = {}
    for path, file in tree.files():
        if path.endswith(".py") and ".data/" not in path:
            with file.content.open() as stream:
                found.setdefault(_top(path), {})[path[1:]] = stream.read()
    return found


def _below(tree: Tree, top: str) -> Tree:
    return tree.filter(lambda path, _: _top(path) == top)


def _top(path: str) -> str:
    return path.split("/")[1].partition(".")[0]
