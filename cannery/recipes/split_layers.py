"""The dependencies in several layers (``layers = "shared"``): what changed or is lacking is sent, and no more."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from cannery.image.tree import File, Transform
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree, Tree
    from cannery.recipes.plan import Plan
    from cannery.workspace.workspace import Workspace

__all__ = ["AT_LEAST", "AT_MOST", "split_layers"]

AT_LEAST: Final = 5_000_000  # bytes of files that are worth a layer: one costs several requests, whatever its size is
AT_MOST: Final = 20  # layers of dependencies; an image loads with 127 in all
_DEPENDENCIES: Final = "dependencies"
_REST: Final = ""
_IN_PACKAGES: Final = re.compile(r"-packages/([^/.-]+)")


def split_layers(plan: Plan, workspace: Workspace) -> Plan:
    """``plan`` with a layer for each large package of the dependencies, and one for the others.

    Which are large is remembered, so that no wheel is read for it again. A package's layer follows from its own files
    alone: all images that have them have the same layer, whatever else they require.
    """
    layers = tuple(
        part
        for name, tree in plan.layers
        for part in (_parts(tree, workspace) if name == _DEPENDENCIES else [(name, tree)])
    )
    if plan.app.requirements is None or any(name == _DEPENDENCIES for name, _ in plan.layers):
        return replace(plan, layers=layers)
    note = f'layers = "shared" splits no executable: the recipe {plan.app.settings.recipe} has its dependencies in one'
    return replace(plan, notes=(*plan.notes, note))


def _parts(tree: LazyTree, workspace: Workspace) -> list[tuple[str, LazyTree]]:
    key = key_of("layer parts", code_key(__name__), tree.key)
    known = workspace.cache.recall("layer-parts", key)
    if known is None:
        known = {"parts": _worth_a_layer(tree.tree)}
        workspace.cache.remember("layer-parts", key, known)
    names = frozenset(known["parts"])
    if names <= {_REST}:
        return [(_DEPENDENCIES, tree)]
    return [_part(tree, name, names) for name in sorted(names)]


def _part(tree: LazyTree, name: str, names: frozenset[str]) -> tuple[str, LazyTree]:
    transform = Transform(key_of("layer part", code_key(__name__), name, sorted(names)), partial(_only, name, names))
    return (f"{_DEPENDENCIES}/{name}" if name else _DEPENDENCIES), tree | transform


def _only(name: str, names: frozenset[str], tree: Tree) -> Tree:
    def belongs(path: str) -> bool:
        package = _package_of(path)
        return (package if package in names else _REST) == name

    return tree.filter(lambda path, _: belongs(path))


def _worth_a_layer(tree: Tree) -> list[str]:
    """The names of the packages that get a layer each, and the empty one where something is left."""
    sizes: Counter[str] = Counter()
    for path, entry in tree.entries.items():
        if isinstance(entry, File):
            sizes[_package_of(path)] += entry.content.size
    large = [name for name, size in sizes.items() if name and size >= AT_LEAST]
    chosen = sorted(large, key=lambda name: (-sizes[name], name))[: AT_MOST - 1]
    return sorted([*chosen, *([_REST] if sizes.keys() - set(chosen) else [])])


def _package_of(path: str) -> str:
    """The package of a file, by the top of its path: ``numpy``, ``numpy.libs`` and ``numpy-2.1.dist-info`` are one."""
    found = _IN_PACKAGES.search(path)
    return found[1].lower() if found else _REST
