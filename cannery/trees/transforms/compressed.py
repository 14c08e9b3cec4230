"""Large extension modules, and libraries that only such modules need, are kept compressed until they're imported.

They're unpacked into memory. xz is what every Python can unpack by itself. A file is cut into blocks, so that all
processors pack and unpack it.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import posixpath
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cannery.elf.closure import OPENED_BY_GLIBC, OPENED_BY_OLD_GLIBC
from cannery.elf.dynamic import read_elf
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import Entry, File, Transform, Tree
from cannery.trees.transforms.shake import module_in
from cannery.workspace.digest import Digest
from cannery.workspace.keys import code_key, key_of, package_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.elf.dynamic import Elf
    from cannery.image.content import Content
    from cannery.workspace.workspace import Workspace

__all__ = ["LIBRARY_LOADER", "LOADER", "CompressedPart", "compressed"]

LOADER = "_cannery_unpacking"  # the module of the image that unpacks what wheels brought
LIBRARY_LOADER = "_cannery_unpacking_library"  # and the one for the standard library
_SOURCE = package_file("trees/payload/unpacking.py")
_LARGE = 500_000  # bytes: smaller ones save little
_BLOCK = 1 << 24  # bytes: compressed and unpacked at a time
_FILTERS = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": _BLOCK}]
_TABLE = "PACKED: dict[str, tuple[str, list[tuple[int, int]], list[str]]] = {}"
_LIBRARIES = "LIBRARIES: dict[str, tuple[str, list[tuple[int, int]]]] = {}"
_UNPACKS = {"_lzma", "zlib"}  # what is needed to unpack anything


@dataclass(frozen=True)
class CompressedPart:
    """A part of an image, in which large files are compressed."""

    home: str  # the folder that what unpacks them lies in: one that Python looks into for .pth files
    roots: tuple[str, ...]  # the folders that imports start from
    loader: str = LOADER  # the name of what unpacks them
    program: str | None = None  # what is started, where this part has it, and with it libraries that may be, too
    needed: frozenset[str] = frozenset()  # libraries that others need


def compressed(part: CompressedPart, workspace: Workspace) -> Transform:
    """The transform for ``part``, which brings along what unpacks its files."""
    source = _SOURCE.read_text(encoding="utf-8")
    key = key_of(
        "compressed", code_key(__name__), part.home, part.roots, part.loader, part.program, sorted(part.needed)
    )

    def apply(tree: Tree) -> Tree:
        found = _Found.of(part, tree)
        entries: dict[str, Entry] = dict(tree.entries)

        def pack(path: str, file: File) -> tuple[str, list[tuple[int, int]]]:
            workspace.progress(f"compressing {posixpath.basename(path)}")
            content, blocks = _pack(file.content, workspace)
            del entries[path]
            entries[f"{path}.xz"] = File(content)
            return posixpath.relpath(f"{path}.xz", part.home), blocks

        blocks = {path: pack(path, file) for path, file in tree.files() if path in found.modules | found.libraries}
        if not blocks:
            return tree
        libraries = {soname: blocks[path] for soname, path in found.by_soname.items() if path in found.libraries}
        modules = {
            found.names[path]: (*blocks.get(path, (posixpath.relpath(path, part.home), [])), needs)
            for path in found.names
            if (needs := [name for name in found.behind(path) if name in libraries]) or path in blocks
        }
        loader = source.replace(_LIBRARIES, f"LIBRARIES = {libraries!r}").replace(_TABLE, f"PACKED = {modules!r}")
        entries[f"{part.home}/{part.loader}.py"] = File(Inline(loader.encode()))
        entries[f"{part.home}/{part.loader}.pth"] = File(Inline(f"import {part.loader}\n".encode()))
        return Tree(entries)

    return Transform(key, apply)


@dataclass(frozen=True)
class _Found:
    """The modules and the libraries of a tree, and which of them are compressed."""

    names: Mapping[str, str]  # path -> module
    by_soname: Mapping[str, str]
    elves: Mapping[str, Elf]
    modules: frozenset[str]
    libraries: frozenset[str]

    @classmethod
    def of(cls, part: CompressedPart, tree: Tree) -> _Found:
        """Look through the ``tree``."""
        elves = {path: elf for path, file in tree.files() if (elf := read_elf(file.content))}
        names = {path: name for path in elves if path.endswith(".so") and (name := module_in(path, part.roots))}
        by_soname = {posixpath.basename(path): path for path in elves if path not in names}
        every = cls(names, by_soname, elves, frozenset(), frozenset())
        large = {path for path, file in tree.files() if path in elves and file.content.size > _LARGE}
        large = {path for path in large if _may_move(elves[path])}
        unpacking = {path for path, name in names.items() if name in _UNPACKS}
        modules = frozenset(large & names.keys() - unpacking)
        if part.program is None:
            return replace(every, modules=modules)
        opened = (by_soname.get(name) for name in (*OPENED_BY_GLIBC, *OPENED_BY_OLD_GLIBC))
        start = [part.program, *unpacking, *filter(None, opened)]
        fixed = {by_soname[name] for name in part.needed if name in by_soname} | {part.program}
        fixed |= {by_soname[name] for path in [*start, *fixed] if path in elves for name in every.behind(path)}
        return replace(
            every, modules=modules, libraries=frozenset(every.only_for_modules(large - fixed - names.keys()))
        )

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

    def only_for_modules(self, libraries: set[str]) -> set[str]:
        """Those of the ``libraries`` that nothing links to but modules and such libraries: those wait for an import."""
        while True:
            others = [elf for path, elf in self.elves.items() if path not in self.names and path not in libraries]
            linked = {self.by_soname[name] for elf in others for name in elf.needed if name in self.by_soname}
            if not libraries & linked:
                return libraries
            libraries = libraries - linked


def _may_move(elf: Elf) -> bool:
    """Whether it's a shared library that finds those that it needs wherever it lies itself."""
    return not any("ORIGIN" in folder for folder in (*elf.rpath, *elf.runpath))


@dataclass(frozen=True)
class _Block:
    """A part of a file."""

    content: Content
    start: int

    def compressed(self) -> tuple[bytes, int]:
        """The part compressed, and how long it is when it isn't."""
        with self.content.open() as stream:
            stream.seek(self.start)
            data = stream.read(_BLOCK)
        return lzma.compress(data, check=lzma.CHECK_CRC32, filters=_FILTERS), len(data)


def _pack(content: Content, workspace: Workspace) -> tuple[OnDisk, list[tuple[int, int]]]:
    """The compressed content, from the cache or made now; and its blocks' sizes, before and after unpacking."""
    key = key_of("compressed", code_key(__name__), str(Digest.of_content(content)))
    known = workspace.cache.recall("compressed", key)
    path = workspace.cache.blob(Digest(known["digest"])) if known else None
    if known and path and path.is_file() and path.stat().st_size == sum(size for size, _ in known["blocks"]):
        return OnDisk(path, path.stat().st_size), [(size, unpacked) for size, unpacked in known["blocks"]]
    blocks: list[tuple[int, int]] = []
    parts = [_Block(content, start) for start in range(0, content.size, _BLOCK)]
    with workspace.cache.new_blob() as (stream, commit), ThreadPoolExecutor(os.cpu_count()) as pool:
        sha256 = hashlib.sha256()
        for data, unpacked in pool.map(_Block.compressed, parts):
            stream.write(data)
            sha256.update(data)
            blocks.append((len(data), unpacked))
        digest = Digest(sha256.hexdigest())
        path = commit(digest)
    workspace.cache.remember("compressed", key, {"digest": digest.hex, "blocks": blocks})
    return OnDisk(path, path.stat().st_size), blocks
