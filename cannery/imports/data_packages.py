"""Packages of nothing but data, which no import shows: programs open them by name (``importlib.resources``)."""

from __future__ import annotations

import ast
import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.image.tree import File
    from cannery.imports.model import Module
    from cannery.imports.places import Place

__all__ = ["CODE", "data_packages"]

CODE = {".so", ".py", ".pyc", ".pyi", ".pyx", ".pxd", ".pxi", ".c", ".cpp", ".h", ".hpp", ".typed"}  # endings


def data_packages(places: Iterable[Place], modules: Mapping[str, Module]) -> dict[str, tuple[str, ...]]:
    """Package -> packages in it that have data and no code, of those of the dependencies."""
    inside: dict[str, list[str]] = {}
    for name in modules:
        inside.setdefault(name.rpartition(".")[0], []).append(name)
    trees = [place.tree.tree for place in places if place.kind == "dependencies"]
    entries = {path: entry for tree in trees for path, entry in tree.files()}
    with_data = {posixpath.dirname(path) for path in entries if posixpath.splitext(path)[1] not in CODE}
    found: set[str] = set()
    for name in sorted(modules, key=lambda each: -each.count(".")):  # what lies in a package comes before it
        module = modules[name]
        if (
            module.package
            and module.kind == "source"
            and posixpath.dirname(module.path) in with_data
            and found.issuperset(inside.get(name, ()))
            and _is_empty(entries.get(module.path))
        ):
            found.add(name)
    return {name: tuple(sorted(each for each in packages if each in found)) for name, packages in inside.items()}


def _is_empty(file: File | None) -> bool:
    """True for a source that is empty but for a docstring."""
    if file is None:
        return False
    with file.content.open() as stream:
        try:
            body = ast.parse(stream.read()).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)
