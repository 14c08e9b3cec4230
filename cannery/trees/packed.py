"""Very large extension modules are kept compressed, and unpacked into memory when a program imports them.

xz is what every Python can unpack by itself. A module is cut into blocks, so that all processors pack and unpack it.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import posixpath
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.model import Digest, Entry, File, Inline, OnDisk, Transform, Tree, key_of
from cannery.trees.elf import read_elf
from cannery.trees.shake import module_in

if TYPE_CHECKING:
    from cannery.model import Content
    from cannery.workspace import Workspace

__all__ = ["LOADER", "packed"]

LOADER = "_cannery_unpacking"  # the module of the image that unpacks
_SOURCE = Path(__file__).with_name("unpacking.py")
_VERSION = 1  # goes up when the same file comes out otherwise
_LARGE = 8_000_000  # bytes: a smaller one isn't worth the time that unpacking takes
_BLOCK = 1 << 24  # bytes: packed and unpacked at a time
_FILTERS = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": _BLOCK}]
_TABLE = "PACKED: dict[str, tuple[str, list[tuple[int, int]]]] = {}"


def packed(site_packages: str, workspace: Workspace) -> Transform:
    """The transform for the wheels below ``site_packages``; they bring along what unpacks them."""
    source = _SOURCE.read_text(encoding="utf-8")
    key = key_of("packed", _VERSION, site_packages, source)

    def apply(tree: Tree) -> Tree:
        entries: dict[str, Entry] = dict(tree.entries)
        table: dict[str, tuple[str, list[tuple[int, int]]]] = {}
        for path, file in tree.files():
            module = module_in(path, (site_packages,)) if file.content.size > _LARGE else None
            if module and _may_move(file.content):
                workspace.progress(f"compressing {posixpath.basename(path)}")
                content, blocks = _pack(file.content, workspace)
                del entries[path]
                entries[f"{path}.xz"] = File(content)
                table[module] = (posixpath.relpath(f"{path}.xz", site_packages), blocks)
        if not table:
            return tree
        loader = source.replace(_TABLE, f"PACKED = {table!r}")
        entries[f"{site_packages}/{LOADER}.py"] = File(Inline(loader.encode()))
        entries[f"{site_packages}/{LOADER}.pth"] = File(Inline(f"import {LOADER}\n".encode()))
        return Tree(entries)

    return Transform(key, apply)


def _may_move(content: Content) -> bool:
    """Whether it's a shared library that finds those that it needs wherever it lies itself."""
    elf = read_elf(content)
    return elf is not None and not any("ORIGIN" in folder for folder in (*elf.rpath, *elf.runpath))


@dataclass(frozen=True)
class _Block:
    """A part of a file."""

    content: Content
    start: int

    def packed(self) -> tuple[bytes, int]:
        """The part compressed, and how long it is when it isn't."""
        with self.content.open() as stream:
            stream.seek(self.start)
            data = stream.read(_BLOCK)
        return lzma.compress(data, check=lzma.CHECK_CRC32, filters=_FILTERS), len(data)


def _pack(content: Content, workspace: Workspace) -> tuple[OnDisk, list[tuple[int, int]]]:
    """The compressed content, from the cache or made now; and its blocks' sizes, before and after unpacking."""
    key = key_of("packed", _VERSION, _BLOCK, _FILTERS, str(Digest.of_content(content)))
    known = workspace.cache.recall("packed", key)
    path = workspace.cache.blob(Digest(known["digest"])) if known else None
    if known and path and path.is_file() and path.stat().st_size == sum(size for size, _ in known["blocks"]):
        return OnDisk(path, path.stat().st_size), [(size, unpacked) for size, unpacked in known["blocks"]]
    blocks: list[tuple[int, int]] = []
    parts = [_Block(content, start) for start in range(0, content.size, _BLOCK)]
    with workspace.cache.new_blob() as (stream, commit), ThreadPoolExecutor(os.cpu_count()) as pool:
        sha256 = hashlib.sha256()
        for data, unpacked in pool.map(_Block.packed, parts):
            stream.write(data)
            sha256.update(data)
            blocks.append((len(data), unpacked))
        digest = Digest(sha256.hexdigest())
        path = commit(digest)
    workspace.cache.remember("packed", key, {"digest": digest.hex, "blocks": blocks})
    return OnDisk(path, path.stat().st_size), blocks
