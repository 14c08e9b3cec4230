"""An ELF file that looks for its libraries beside itself, or where the program does, and nowhere on the machine.

A program that brings its own C library must not load another system's libraries with it. DT_RUNPATH does harm twice:
folders of the machine that built the file come first, and the program's own DT_RPATH is no longer asked (ld.so(8)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.elf.constants import DT_NULL, DT_RPATH, DT_RUNPATH, PT_DYNAMIC
from cannery.elf.dynamic import dynamic_entries, dynamic_strings
from cannery.elf.outcome import Outcome, rewritten
from cannery.elf.patched import Patch, Patched

if TYPE_CHECKING:
    from cannery.elf.headers import ElfReader
    from cannery.image.content import Content

__all__ = ["confine_rpath"]

_ITSELF = ("$ORIGIN", "${ORIGIN}")  # the folder that the file lies in


def confine_rpath(content: Content) -> Outcome:
    """``content`` with no search path but such as starts from the file itself (``$ORIGIN``).

    DT_RUNPATH becomes DT_RPATH where all its folders start so; either goes where one of its folders doesn't. The file
    keeps its size, and every byte outside its dynamic segment.
    """
    return rewritten("confine rpath", content, _confined)


def _confined(content: Content, reader: ElfReader) -> Content:
    dynamic = next((segment for segment in reader.segments() if segment.type == PT_DYNAMIC), None)
    if dynamic is None:
        return content
    entries = list(dynamic_entries(reader, dynamic))
    own = {
        tag: all(folder.startswith(_ITSELF) for text in texts for folder in text.split(":") if folder)
        for tag, texts in dynamic_strings(reader, dynamic).items()
        if tag in {DT_RPATH, DT_RUNPATH}
    }
    if not own or own == {DT_RPATH: True}:
        return content
    gone = {tag for tag, kept in own.items() if not kept} | ({DT_RPATH} if DT_RUNPATH in own else set())
    left = [(DT_RPATH if tag == DT_RUNPATH else tag, value) for tag, value in entries if tag not in gone]
    left += [(DT_NULL, 0)] * (len(entries) - len(left))
    table = b"".join(reader.encoding.dynamic.pack(*entry) for entry in left)
    return Patched(content, content.size, (Patch(dynamic.offset, dynamic.offset + len(table), table),))
