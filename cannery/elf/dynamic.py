"""What an ELF file asks of its loader: an interpreter and shared libraries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cannery.elf.headers import MAGIC, ElfReader, MalformedElfError, Segment, string_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.image.content import Content

__all__ = ["Elf", "dynamic_entries", "dynamic_strings", "machine_of", "read_elf"]

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 10, 14, 15, 29


@dataclass(frozen=True, slots=True)
class Elf:
    """What a loader reads of a program or a shared library before it runs (ld.so(8))."""

    is_64: bool
    little_endian: bool
    machine: str  # EM_X86_64: by the specification's names; EM_4242 where it has none
    interpreter: str | None  # the loader that a program names
    soname: str | None
    needed: tuple[str, ...]  # in the file's order, which is the order of the search for symbols
    rpath: tuple[str, ...]  # folders, with $ORIGIN as it's written
    runpath: tuple[str, ...]


def read_elf(content: Content) -> Elf | None:
    """Read what ``content`` asks of its loader; None where it is nothing for a loader.

    That is whatever isn't ELF, of which four bytes are read; object files, core files and static programs, which have
    neither a dynamic segment nor an interpreter; and files so broken that no loader takes them, which wheels ship
    among their tests. The section headers may be absent or wrong: no loader looks at them either.
    """
    with content.open() as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return None
        try:
            return _read(ElfReader(stream, content.size))
        except MalformedElfError:
            return None


def _read(reader: ElfReader) -> Elf | None:
    segments = reader.segments()
    first = {segment.type: segment for segment in reversed(segments)}
    interpreter, dynamic = first.get(_PT_INTERP), first.get(_PT_DYNAMIC)
    if interpreter is None and dynamic is None:
        return None
    strings = dynamic_strings(reader, dynamic) if dynamic else {}
    return Elf(
        is_64=reader.encoding.is_64,
        little_endian=reader.encoding.little_endian,
        machine=machine_of(reader),
        interpreter=_interpreter(reader, interpreter) if interpreter else None,
        soname=next(iter(strings.get(_DT_SONAME, ())), None),
        needed=tuple(strings.get(_DT_NEEDED, ())),
        rpath=_folders(strings.get(_DT_RPATH, ())),
        runpath=_folders(strings.get(_DT_RUNPATH, ())),
    )


def _interpreter(reader: ElfReader, segment: Segment) -> str:
    return os.fsdecode(string_at(reader.at(segment.offset, segment.filesz), 0))


def dynamic_strings(reader: ElfReader, dynamic: Segment) -> Mapping[int, list[str]]:
    """The dynamic segment's entries that are strings, by tag."""
    entries = list(dynamic_entries(reader, dynamic))
    values = dict(entries)
    wanted = [entry for entry in entries if entry[0] in {_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH}]
    if not wanted:
        return {}
    if not {_DT_STRTAB, _DT_STRSZ} <= values.keys():
        raise MalformedElfError("its dynamic segment has no string table")
    table = reader.at(_file_offset(reader.segments(), values[_DT_STRTAB]), values[_DT_STRSZ])
    found: dict[int, list[str]] = {}
    for tag, offset in wanted:
        found.setdefault(tag, []).append(os.fsdecode(string_at(table, offset)))
    return found


def dynamic_entries(reader: ElfReader, dynamic: Segment) -> Iterator[tuple[int, int]]:
    """Tags and values of the dynamic segment, up to the one that ends it."""
    layout = reader.encoding.dynamic
    whole = dynamic.filesz - dynamic.filesz % layout.size
    for tag, value in layout.iter_unpack(reader.at(dynamic.offset, whole)):
        if tag == _DT_NULL:
            return
        yield tag, value


def _file_offset(segments: Sequence[Segment], address: int) -> int:
    for segment in segments:
        if segment.type == _PT_LOAD and 0 <= address - segment.vaddr < segment.filesz:
            return segment.offset + address - segment.vaddr
    raise MalformedElfError(f"no segment is loaded at {address:#x}")


def _folders(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(folder for path in paths for folder in path.split(":") if folder)


def machine_of(reader: ElfReader) -> str:
    """The architecture by the specification's name: ``EM_X86_64``; ``EM_4242`` where it has none."""
    number = reader.header.machine
    return _machine_names().get(number, f"EM_{number}")


@cache
def _machine_names() -> dict[int, str]:
    from elftools.elf.enums import ENUM_E_MACHINE  # noqa: PLC0415  # slow to import, not needed when nothing changed

    return {value: name for name, value in ENUM_E_MACHINE.items() if name != "_default_"}
