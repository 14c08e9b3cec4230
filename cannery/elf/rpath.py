"""An ELF file that looks for its libraries beside itself, or where the program does, and nowhere on the machine.

A program that brings its own C library must not load another system's libraries with it. DT_RUNPATH does harm twice:
folders of the machine that built the file come first, and the program's own DT_RPATH is no longer asked (ld.so(8)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.elf.constants import DT_NULL, DT_RPATH, DT_RUNPATH, DT_STRTAB, PT_DYNAMIC
from cannery.elf.dynamic import dynamic_entries, dynamic_strings, file_offset, string_table
from cannery.elf.headers import UnsupportedElfError, string_at
from cannery.elf.outcome import Outcome, rewritten
from cannery.elf.patched import Patch, Patched

if TYPE_CHECKING:
    from cannery.elf.headers import ElfReader, Segment
    from cannery.image.content import Content

__all__ = ["confine_rpath", "drop_absolute_rpath"]

_ITSELF = ("$ORIGIN", "${ORIGIN}")  # the folder that the file lies in


def confine_rpath(content: Content) -> Outcome:
    """``content`` with no search path but such as starts from the file itself (``$ORIGIN``).

    DT_RUNPATH becomes DT_RPATH where all its folders start so; either goes where one of its folders doesn't. The file
    keeps its size, and every byte outside its dynamic segment.
    """
    return rewritten("confine rpath", content, _confined)


def drop_absolute_rpath(content: Content) -> Outcome:
    """``content`` without the absolute folders of its search paths, which are those of the machine that built it.

    Others stay in their order. The file keeps its size, and every byte outside its dynamic segment and those paths.
    """
    return rewritten("drop absolute rpath", content, _without_absolute)


def _without_absolute(content: Content, reader: ElfReader) -> Content:
    dynamic = next((segment for segment in reader.segments() if segment.type == PT_DYNAMIC), None)
    entries = list(dynamic_entries(reader, dynamic)) if dynamic else []
    paths = [(tag, value) for tag, value in entries if tag in {DT_RPATH, DT_RUNPATH}]
    if dynamic is None or not paths:
        return content
    strings = dict(entries)
    table, start = string_table(reader, strings), file_offset(reader.segments(), strings[DT_STRTAB])
    gone, patches = set(), []
    for entry in paths:
        old = string_at(table, entry[1])
        new = b":".join(folder for folder in old.split(b":") if not folder.startswith(b"/"))
        if new != old:
            gone |= set() if new else {entry}
            patches.append(_shortened(start + entry[1], old, new))
    if not patches:
        return content
    left = [entry for entry in entries if entry not in gone]
    return Patched(content, content.size, (*patches, _table(reader, dynamic, left, len(entries))))


def _shortened(place: int, old: bytes, new: bytes) -> Patch:
    """The text ``new`` in the place of ``old``, whose last name stays: linkers let other strings end in it."""
    room = old.rfind(b"/") + 1
    if len(new) >= room:
        raise UnsupportedElfError(
            f"there is no room for {new.decode('ascii', 'replace')} before the end of its search path"
        )
    return Patch(place, place + room, new)


def _table(reader: ElfReader, dynamic: Segment, left: list[tuple[int, int]], length: int) -> Patch:
    """The entries that are ``left`` of a dynamic segment with as many as ``length``."""
    rows = [*left, *[(DT_NULL, 0)] * (length - len(left))]
    data = b"".join(reader.encoding.dynamic.pack(*row) for row in rows)
    return Patch(dynamic.offset, dynamic.offset + len(data), data)


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
    return Patched(content, content.size, (_table(reader, dynamic, left, len(entries)),))
