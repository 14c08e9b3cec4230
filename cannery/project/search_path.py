"""Folders that a program adds to ``sys.path`` by itself, as far as its code names them: imports start there, too."""

from __future__ import annotations

import ast
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.project.own_code import OwnCode

__all__ = ["added_roots"]

_SETTINGS = ("*.py", "*/settings.py", "*/settings/*.py")  # files where such lines stand, below where imports start
_MARK = b"sys.path"


def added_roots(own: OwnCode, scripts: Iterable[PurePosixPath]) -> tuple[PurePosixPath, ...]:
    """The folders of the project that ``sys.path.insert(0, …)`` or ``append`` names in its scripts and settings.

    They are relative to the project, in the order in which they are found.
    """
    paths = [own.folder / script for script in scripts]
    for root in own.roots:
        paths += [path for pattern in _SETTINGS for path in sorted((own.folder / root).glob(pattern))]
    found = (each for path in dict.fromkeys(paths) if _mentions(path) for each in _added(own, path))
    return tuple(root for root in dict.fromkeys(found) if root not in {PurePosixPath(), *own.roots})


def _mentions(path: Path) -> bool:
    """True for a source that speaks of the search path: the others need not be parsed."""
    return path.is_file() and _MARK in path.read_bytes()


def _added(own: OwnCode, path: Path) -> Iterator[PurePosixPath]:
    tree = own.tree(path)
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(value=ast.Name(id="sys"), attr="path"), attr="insert" | "append"
                ),
                args=[*_, folder],
            ):
                yield from _named(folder, path.parent, own.folder)


def _named(expression: ast.expr, beside: Path, project: Path) -> Iterator[PurePosixPath]:
    """The folder that the strings of ``expression`` name, from that of its file, or from one above it."""
    constants = [node for node in ast.walk(expression) if isinstance(node, ast.Constant)]
    constants.sort(key=lambda node: (node.lineno, node.col_offset))
    relative = "/".join(node.value for node in constants if isinstance(node.value, str)).lstrip("/")
    if not relative:
        return
    for above in (beside, *beside.parents):
        if not above.is_relative_to(project):
            return
        folder = Path(os.path.normpath(above / relative))
        if folder.is_dir() and folder != project and folder.is_relative_to(project):
            yield PurePosixPath(folder.relative_to(project))
            return
