"""Modules that no import reaches are dropped, with the data and libraries that belong to them alone."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from cannery.elf.dynamic import read_elf
from cannery.image.tree import Entry, File, Transform, Tree
from cannery.imports.path_files import folders_added
from cannery.imports.places import is_library, module_name
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.elf.dynamic import Elf

__all__ = ["module_in", "shake"]

_NOBODYS = re.compile(
    r".*\.(?:pyi|pyx|pxd|pxi|c|cpp|h|hpp|a|rst)|.*/py\.typed|.*\.dist-info/sboms/.*"
)  # no program reads these
_SHARED = re.compile(r".*\.so(?:\.[\d.]+)?")


def shake(reached: Iterable[str], roots: tuple[str, ...], data: Iterable[str] = ()) -> Transform:
    """The transform that keeps the modules ``reached``; ``roots`` are the folders that imports start from.

    Data goes along with the package that it lies in. What lies in no package stays, but for shared libraries that
    nothing in the tree links to any more, and for headers, type stubs and bills of materials; of these, ``data`` has
    the paths of those that are read.
    """
    names, read = frozenset(reached), frozenset(path for path in data if _NOBODYS.fullmatch(path))
    key = key_of("shake", code_key(__name__), sorted(names), roots, sorted(read))
    return Transform(key, lambda tree: _shaken(tree, names, roots, read))


def module_in(path: str, roots: Iterable[str]) -> str | None:
    """The module that an import finds at ``path``, from the innermost of ``roots``; None where it is no module."""
    root = max((root for root in roots if path.startswith(f"{root}/")), key=len, default=None)
    return module_name(path.removeprefix(f"{root}/")) if root is not None else None


def _shaken(tree: Tree, reached: frozenset[str], roots: tuple[str, ...], read: frozenset[str]) -> Tree:
    roots = (*roots, *folders_added(tree, roots))
    packages = {posixpath.dirname(path) for path in tree.entries if posixpath.basename(path).startswith("__init__.")}
    kept: dict[str, Entry] = {}
    for path, entry in tree:
        module = module_in(path, roots)
        if module is not None and (module in reached or not is_library(path, entry)):
            stays = module in reached
        else:
            owner = _owner(path, packages)
            stays = owner is None or (module_in(f"{owner}/__init__.py", roots) or "") in reached
        if stays and (path in read or not _NOBODYS.fullmatch(path)):
            kept[path] = entry
    return Tree(_linked(kept, packages))


def _owner(path: str, packages: set[str]) -> str | None:
    """The folder of the package that the file ``path`` lies in."""
    folder = posixpath.dirname(path)
    while folder != "/":
        if folder in packages:
            return folder
        folder = posixpath.dirname(folder)
    return None


def _linked(entries: Mapping[str, Entry], packages: set[str]) -> dict[str, Entry]:
    """``entries`` without the shared libraries that lie in no package and that nothing links to."""
    elves = {
        path: elf
        for path, entry in entries.items()
        if isinstance(entry, File) and _SHARED.fullmatch(path) and (elf := read_elf(entry.content))
    }
    loose = {path for path in elves if posixpath.dirname(path).endswith(".libs") and _owner(path, packages) is None}
    needed = _needed(elves, elves.keys() - loose)
    return {path: entry for path, entry in entries.items() if path not in loose or posixpath.basename(path) in needed}


def _needed(elves: Mapping[str, Elf], start: Iterable[str]) -> set[str]:
    """The names of all libraries that those of ``start`` need, and those that these need."""
    by_name = {posixpath.basename(path): elf for path, elf in elves.items()}
    needed: set[str] = set()
    pending = [soname for path in start for soname in elves[path].needed]
    while pending:
        soname = pending.pop()
        if soname not in needed:
            needed.add(soname)
            pending += by_name[soname].needed if soname in by_name else ()
    return needed
