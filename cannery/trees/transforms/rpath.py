"""ELF files that look for their libraries beside themselves, or where the program does, and nowhere on the machine.

A program that brings its own C library must not load another system's libraries with it. DT_RUNPATH does harm twice:
folders of the machine that built the file come first, and the program's own are no longer asked (ld.so(8)). So it
becomes DT_RPATH where it says ``$ORIGIN``, and goes where it doesn't. The file keeps its size, and every other byte.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cannery.elf.dynamic import dynamic_entries, dynamic_strings
from cannery.elf.headers import MAGIC, ElfReader, MalformedElfError
from cannery.elf.patched import Patch, Patched
from cannery.image.tree import Transform, Tree
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.content import Content

__all__ = ["relocated", "relocated_elf"]

_PT_DYNAMIC = 2
_DT_NULL, _DT_RPATH, _DT_RUNPATH = 0, 15, 29


def relocated_elf(content: Content) -> Content:
    """``content`` with no search path but such as starts from the file itself; as it is where it has none."""
    with content.open() as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return content
        try:
            return _relocated(content, ElfReader(stream, content.size))
        except MalformedElfError:
            return content


def _relocated(content: Content, reader: ElfReader) -> Content:
    dynamic = next((segment for segment in reader.segments() if segment.type == _PT_DYNAMIC), None)
    if dynamic is None:
        return content
    entries = list(dynamic_entries(reader, dynamic))
    own = {
        tag: all(folder.startswith(("$ORIGIN", "${ORIGIN}")) for text in texts for folder in text.split(":") if folder)
        for tag, texts in dynamic_strings(reader, dynamic).items()
        if tag in {_DT_RPATH, _DT_RUNPATH}
    }
    if not own or own == {_DT_RPATH: True}:
        return content
    gone = {tag for tag, kept in own.items() if not kept} | ({_DT_RPATH} if _DT_RUNPATH in own else set())
    left = [(_DT_RPATH if tag == _DT_RUNPATH else tag, value) for tag, value in entries if tag not in gone]
    left += [(_DT_NULL, 0)] * (len(entries) - len(left))
    layout = reader.encoding.dynamic
    table = b"".join(layout.pack(*entry) for entry in left)
    return Patched(content, content.size, (Patch(dynamic.offset, dynamic.offset + len(table), table),))


def _relocated_tree(tree: Tree) -> Tree:
    return tree.map(lambda _, file: (replace(file, content=relocated_elf(file.content)), ()))


relocated = Transform(key_of("relocated", code_key(__name__)), _relocated_tree)
