"""Large extension modules, and libraries that only modules need, lie in the image as xz, and are unpacked into memory.

xz is a format that every Python unpacks by itself. A file is cut into blocks, so that all processors compress and
unpack it.
"""

from __future__ import annotations

import lzma
import os
import posixpath
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.image.content import Inline, OnDisk
from cannery.image.hashing import HashingWriter
from cannery.image.tree import Decision, Entry, File, Transform, Tree
from cannery.trees.transforms.compressible import linked_in, looked_through
from cannery.workspace.digest import Digest
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.use import used

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.content import Content
    from cannery.imports.model import Host
    from cannery.trees.transforms.compressible import Compressible, LinkedFiles
    from cannery.workspace.workspace import Workspace

__all__ = ["LIBRARY_LOADER", "LOADER", "CompressedPart", "compressed", "imports_of_payload"]

LOADER = "_cannery_unpacking"  # the module of the image that unpacks what wheels brought
LIBRARY_LOADER = "_cannery_unpacking_library"  # and the one for the standard library
_PAYLOAD = package_file("trees/payload/unpacking.py")
# What the payload reads: MODULES and LIBRARIES, as it describes them.
_TABLES = '''"""What is compressed in this part of the image, for the module that unpacks it."""

MODULES = {modules!r}
LIBRARIES = {libraries!r}
'''
_BLOCK = 1 << 24  # bytes: compressed and unpacked at a time
_FILTERS = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": _BLOCK}]


@dataclass(frozen=True)
class CompressedPart:
    """A part of an image, in which large files are compressed."""

    home: str  # the folder of the module that unpacks: one that Python looks into for .pth files
    roots: tuple[str, ...]  # the folders that imports start from
    loader: str = LOADER  # the name of that module
    program: str | None = None  # the program that is started, if it lies in this part; libraries are compressed then
    needed: frozenset[str] = frozenset()  # libraries that other parts need


def compressed(part: CompressedPart, workspace: Workspace) -> Transform:
    """The transform that compresses large files of ``part``, and adds the module that unpacks them."""
    key = key_of(
        "compressed", code_key(__name__), part.home, part.roots, part.loader, part.program, sorted(part.needed)
    )

    def apply(tree: Tree) -> Tree:
        linked = linked_in(tree, part.roots)
        found = looked_through(tree, linked, part.program, part.needed)
        decisions = tuple(_decision(path, tree, why) for path, why in sorted(found.staying.items()))
        made = {path: _compressed(path, file, workspace) for path, file in tree.files() if path in found.paths}
        if not made:
            return Tree(tree.entries, decisions)
        rest = {path: entry for path, entry in tree.entries.items() if path not in made}
        files = {f"{path}.xz": file.file for path, file in made.items()}
        return Tree({**rest, **files, **_unpacking(part, linked, found, made)}, decisions)

    return Transform(key, apply)


def imports_of_payload(host: Host) -> tuple[str, ...]:
    """The modules that the payload imports when ``host`` runs it, read from its source."""
    from cannery.imports.source import read_source  # noqa: PLC0415  # slow to import, where nothing has changed

    return tuple(sorted({each.module for each in read_source(_PAYLOAD.read_bytes(), host).imports}))


def _decision(path: str, tree: Tree, why: str) -> Decision:
    entry = tree.entries[path]
    return Decision(path, "compress", why, entry.content.size if isinstance(entry, File) else 0)


def _unpacking(
    part: CompressedPart, linked: LinkedFiles, found: Compressible, made: Mapping[str, _Compressed]
) -> dict[str, Entry]:
    """The files that unpack those ``made``: the payload, its tables, and a .pth file by which Python imports it."""

    def place(path: str) -> tuple[str, list[tuple[int, int]]]:
        whole = f"{path}.xz" if path in made else path
        return posixpath.relpath(whole, part.home), made[path].blocks if path in made else []

    libraries = {soname: place(path) for soname, path in linked.by_soname.items() if path in found.libraries}
    modules = {
        name: (*place(path), needs)
        for path, name in linked.names.items()
        if (needs := [soname for soname in linked.behind(path) if soname in libraries]) or path in made
    }
    stem = f"{part.home}/{part.loader}"
    return {
        f"{stem}.py": File(Inline(_PAYLOAD.read_bytes())),
        f"{stem}_tables.py": File(Inline(_TABLES.format(modules=modules, libraries=libraries).encode())),
        f"{stem}.pth": File(Inline(f"import {part.loader}\n".encode())),
    }


@dataclass(frozen=True)
class _Compressed:
    """A compressed file."""

    file: File
    blocks: list[tuple[int, int]]  # (bytes compressed, bytes unpacked), in order


@dataclass(frozen=True)
class _Block:
    """A part of a file."""

    content: Content
    start: int

    def compressed(self) -> tuple[bytes, int]:
        """The part compressed, and the number of its bytes before."""
        with self.content.open() as stream:
            stream.seek(self.start)
            data = stream.read(_BLOCK)
        return lzma.compress(data, check=lzma.CHECK_CRC32, filters=_FILTERS), len(data)


def _compressed(path: str, file: File, workspace: Workspace) -> _Compressed:
    """A file compressed, from the cache or made now."""
    workspace.progress(f"compressing {posixpath.basename(path)}")
    content = file.content
    key = key_of("compressed", code_key(__name__), str(Digest.of_content(content)))
    known = workspace.cache.recall("compressed", key)
    blob = workspace.cache.blob(Digest(known["digest"])) if known else None
    if known and blob and used(blob) and blob.stat().st_size == sum(size for size, _ in known["blocks"]):
        blocks = [(size, unpacked) for size, unpacked in known["blocks"]]
        return _Compressed(File(OnDisk(blob, blob.stat().st_size)), blocks)
    blocks = []
    parts = [_Block(content, start) for start in range(0, content.size, _BLOCK)]
    with workspace.cache.new_blob() as (stream, commit), ThreadPoolExecutor(os.cpu_count()) as pool:
        hashed = HashingWriter(stream)
        for data, unpacked in pool.map(_Block.compressed, parts):
            blocks.append((hashed.write(data), unpacked))
        blob = commit(hashed.digest)
    workspace.cache.remember("compressed", key, {"digest": hashed.digest.hex, "blocks": blocks})
    return _Compressed(File(OnDisk(blob, blob.stat().st_size)), blocks)
