"""Places of modules: trees, with the folders in them that imports start from."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.image.tree import File, LazyTree, Symlink
from cannery.imports.model import Module
from cannery.python.stdlib import BRINGS_BACK_FOR_THE_APP, interpreter_tree
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.image.tree import Entry
    from cannery.imports.model import Kind, Where
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["Place", "find_modules", "is_library", "known_modules", "module_name", "standard_library"]

_NAME = re.compile(r"[^\W\d]\w*|_sysconfigdata_[\w-]+")
# Of a name, below the top, as 0001_initial can be loaded by its name; and of an extension module, which another one
# imports by any name: mypyc's begin with a digest.
_PART = re.compile(r"[\w-]+")
_SUFFIXES: Mapping[str, Kind] = {
    ".so": "extension",
    ".py": "source",
    ".pyc": "bytecode",
}  # in the order of the import system


@dataclass(frozen=True, slots=True)
class Place:
    """A tree of modules, with sources as sources, by their paths in the image."""

    kind: Where
    tree: LazyTree
    roots: tuple[str, ...]  # folders that imports start from, in the order of sys.path


def standard_library(python: Interpreter) -> Place:
    """The place of the whole standard library, with the modules that most images leave out."""
    tree = LazyTree(
        key_of("standard library", code_key(__name__), python.fingerprint),
        lambda: interpreter_tree(python, BRINGS_BACK_FOR_THE_APP),
    )
    return Place("stdlib", tree, (python.image_stdlib, f"{python.image_stdlib}/lib-dynload"))


def find_modules(places: Iterable[Place]) -> dict[str, Module]:
    """Name -> module, for every module that an import could find; the first on the path counts."""
    return _first_found(dict(_modules_below(place, root)) for place in places for root in place.roots)


def known_modules(places: Iterable[Place], workspace: Workspace) -> dict[str, Module]:
    """What :func:`find_modules` returns, for who needs nothing else of the places.

    What the standard library and dependencies have is remembered, and then their trees needn't be made.
    """
    return _first_found(_remembered(place, root, workspace) for place in places for root in place.roots)


def _first_found(roots: Iterable[Mapping[str, Module]]) -> dict[str, Module]:
    """The modules of all ``roots``; a name at the top is that of the first root that has it, namespaces are joined."""
    modules: dict[str, Module] = {}
    for here in roots:
        tops = {name for name in here if "." not in name} - modules.keys()
        spread = {name for name in here if "." not in name and here[name].kind == "namespace"}
        for name, module in here.items():
            top = name.partition(".")[0]
            if top in tops or (top in spread and modules[top].kind == "namespace"):
                modules.setdefault(name, module)
    return modules


def module_name(relative: str) -> str | None:
    """The name of the module at ``relative``, a path from a folder that imports start from; None for no module."""
    known = _module(relative)
    return known[0] if known else None


def is_library(path: str, entry: Entry) -> bool:
    """True for a shared library that is no module, whatever it's called: a program opens it by its path.

    A name with a tag, as ``x.abi3.so`` has one, is that of a module.
    """
    if not re.fullmatch(r"[^.]+\.so", posixpath.basename(path)) or not isinstance(entry, File):
        return False
    with entry.content.open() as stream:
        return b"PyInit_" not in stream.read()


def _remembered(place: Place, root: str, workspace: Workspace) -> dict[str, Module]:
    """Name -> module, for those below ``root``; those of an app change too often to be worth a record."""
    if place.kind == "app":
        return dict(_modules_below(place, root))
    key = key_of("modules", code_key(__name__), place.kind, place.tree.key, root)
    known = workspace.cache.recall("modules", key)
    if known is None:
        here = dict(_modules_below(place, root))
        known = {name: (module.kind, module.path, module.package) for name, module in here.items()}
        workspace.cache.remember("modules", key, known)
    return {name: Module(kind, place.kind, path, package) for name, (kind, path, package) in known.items()}


def _modules_below(place: Place, root: str) -> Iterator[tuple[str, Module]]:
    found: dict[str, tuple[int, Module]] = {}
    prefix = f"{root.rstrip('/')}/"
    for path, entry in place.tree.tree.entries.items():
        if path.startswith(prefix) and isinstance(entry, File | Symlink):
            known = _module(path.removeprefix(prefix))
            if known is not None and (place.kind == "stdlib" or not is_library(path, entry)):
                name, rank, kind, package = known
                if name not in found or rank < found[name][0]:
                    found[name] = (rank, Module(kind, place.kind, path, package))
    for name in sorted(found):
        while name := name.rpartition(".")[0]:
            if name in found and found[name][1].package:
                continue
            folder = prefix + name.replace(".", "/")
            if name in found:
                break  # a module of that name, which hides the folder
            found[name] = (0, Module("namespace", place.kind, folder, package=True))
    return ((name, module) for name, (_, module) in sorted(found.items()))


def _module(relative: str) -> tuple[str, int, Kind, bool] | None:
    """Name, rank among modules of that name (lower counts), kind, and True for a package; None for no module."""
    folder, _, file = relative.rpartition("/")
    suffix = posixpath.splitext(file)[1]
    if suffix not in _SUFFIXES:
        return None
    stem = file.partition(".")[0] if suffix == ".so" else file.removesuffix(suffix)
    parts = [*(folder.split("/") if folder else []), stem]
    top = _PART if suffix == ".so" and len(parts) == 1 else _NAME
    if not top.fullmatch(parts[0]) or not all(map(_PART.fullmatch, parts)):
        return None
    package = stem == "__init__"
    rank = list(_SUFFIXES).index(suffix) + (0 if package else len(_SUFFIXES))
    if package and not (parts := parts[:-1]):
        return None
    return ".".join(parts), rank, _SUFFIXES[suffix], package
