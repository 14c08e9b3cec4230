"""The large files of a tree that can be kept compressed until a module is imported, and the reasons of the others."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.elf.closure import OPENED_BY_GLIBC, OPENED_BY_OLD_GLIBC
from cannery.elf.dynamic import read_elf
from cannery.trees.transforms.shake import module_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.elf.dynamic import Elf
    from cannery.image.tree import Tree

__all__ = ["Compressible", "LinkedFiles", "linked_in", "looked_through"]

_LARGE = 500_000  # bytes: smaller ones save little
_UNPACKS = {"_lzma", "zlib"}  # modules by which anything is unpacked


@dataclass(frozen=True)
class LinkedFiles:
    """The ELF files of a tree: which are modules, and what links to what."""

    elves: Mapping[str, Elf]  # by path
    names: Mapping[str, str]  # path -> module; the others are libraries and programs
    by_soname: Mapping[str, str]  # name of a library -> path

    def behind(self, path: str) -> list[str]:
        """The libraries of the tree that a file links to, each after those that it links to itself."""
        found: dict[str, None] = {}

        def follow(elf: Elf, above: frozenset[str]) -> None:
            for name in elf.needed:
                if name in self.by_soname and name not in above and name not in found:
                    follow(self.elves[self.by_soname[name]], above | {name})
                    found[name] = None

        follow(self.elves[path], frozenset())
        return list(found)


@dataclass(frozen=True)
class Compressible:
    """The large files of a tree, sorted by what can be done with them."""

    modules: frozenset[str]  # paths
    libraries: frozenset[str]
    staying: Mapping[str, str]  # path -> why

    @property
    def paths(self) -> frozenset[str]:
        """The modules and the libraries."""
        return self.modules | self.libraries


def linked_in(tree: Tree, roots: tuple[str, ...]) -> LinkedFiles:
    """The ELF files of ``tree``, where imports start from the folders ``roots``."""
    elves = {path: elf for path, file in tree.files() if (elf := read_elf(file.content))}
    names = {path: name for path in elves if path.endswith(".so") and (name := module_in(path, roots))}
    return LinkedFiles(elves, names, {posixpath.basename(path): path for path in elves if path not in names})


def looked_through(tree: Tree, linked: LinkedFiles, program: str | None, needed: frozenset[str]) -> Compressible:
    """The files of ``tree`` that can be compressed: large modules, and if the ``program`` is there large libraries.

    A library is unpacked when a module is imported, so no file may need it that is loaded earlier: neither the program
    nor a module that unpacks. ``needed`` are the libraries that files outside the tree need.
    """
    large = [path for path, file in tree.files() if path in linked.elves and file.content.size > _LARGE]
    staying = {path: why for path in large if (why := _bound(path, linked))}
    modules = frozenset(path for path in large if path in linked.names and path not in staying)
    if program is None:
        return Compressible(modules, frozenset(), staying)
    at_start = dict(_not_linked(linked)) | dict(_loaded_at_start(linked, program, needed))
    staying |= {path: at_start[path] for path in large if path in at_start and path not in linked.names}
    candidates = {path for path in large if path not in staying and path not in linked.names}
    elsewhere = dict(_needed_elsewhere(linked, candidates))
    return Compressible(modules, frozenset(candidates - elsewhere.keys()), staying | elsewhere)


def _bound(path: str, linked: LinkedFiles) -> str:
    """The reason why a file can't be loaded from memory, whoever needs it; empty for none."""
    elf = linked.elves[path]
    if beside := [folder for folder in (*elf.rpath, *elf.runpath) if "ORIGIN" in folder]:
        return f"it looks for libraries beside itself ({beside[0]}), which a file in memory can't"
    return "it is needed to unpack anything" if linked.names.get(path) in _UNPACKS else ""


def _not_linked(linked: LinkedFiles) -> Iterator[tuple[str, str]]:
    """(path, reason) of libraries and programs that no file links to."""
    asked = {soname for elf in linked.elves.values() for soname in elf.needed}
    for soname, path in linked.by_soname.items():
        if soname not in asked:
            yield path, "no file links to it, so no import would unpack it"


def _loaded_at_start(linked: LinkedFiles, program: str, needed: frozenset[str]) -> Iterator[tuple[str, str]]:
    """(path, reason) of files that are loaded before any module is imported, or by others."""
    for soname in sorted(needed & linked.by_soname.keys()):
        path = linked.by_soname[soname]
        yield path, "another part of the image needs it"
        yield from _behind(path, linked, "a library that another part of the image needs links to it")
    for soname in sorted(linked.by_soname.keys() & {*OPENED_BY_GLIBC, *OPENED_BY_OLD_GLIBC}):
        path = linked.by_soname[soname]
        yield path, "the C library opens it by its name"
        yield from _behind(path, linked, "a library that the C library opens by its name links to it")
    for path, name in linked.names.items():
        if name in _UNPACKS:
            yield from _behind(path, linked, "it is needed to unpack anything")
    if program in linked.elves:
        yield from _behind(program, linked, "the program links to it")
    yield program, "it is the program that is started"


def _behind(path: str, linked: LinkedFiles, why: str) -> Iterator[tuple[str, str]]:
    return ((linked.by_soname[soname], why) for soname in linked.behind(path))


def _needed_elsewhere(linked: LinkedFiles, libraries: set[str]) -> Iterator[tuple[str, str]]:
    """(path, reason) of ``libraries`` that a file links to which is neither a module nor one of these libraries."""
    waiting = set(libraries)
    while True:
        links = {
            linked.by_soname[soname]: path
            for path, elf in linked.elves.items()
            if path not in linked.names and path not in waiting
            for soname in elf.needed
            if soname in linked.by_soname
        }
        held = waiting & links.keys()
        if not held:
            return
        yield from ((path, f"{posixpath.basename(links[path])} links to it, which no import loads") for path in held)
        waiting -= held
