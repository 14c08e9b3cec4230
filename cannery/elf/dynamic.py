"""The dynamic segment: the interpreter and the shared libraries that an ELF file asks of its loader."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.elf.constants import (
    DT_NEEDED,
    DT_NULL,
    DT_RPATH,
    DT_RUNPATH,
    DT_SONAME,
    DT_STRSZ,
    DT_STRTAB,
    PT_DYNAMIC,
    PT_INTERP,
    PT_LOAD,
)
from cannery.elf.headers import MAGIC, ElfReader, MalformedElfError, Segment, UnsupportedElfError, string_at
from cannery.elf.machines import machine_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.elf.headers import Encoding
    from cannery.image.content import Content

__all__ = [
    "Elf",
    "dynamic_entries",
    "dynamic_strings",
    "elf_of",
    "entries_in",
    "file_offset",
    "machine_of",
    "read_elf",
    "string_table",
]


@dataclass(frozen=True, slots=True)
class Elf:
    """A program or a shared library, as far as a loader reads it before it runs (ld.so(8))."""

    is_64: bool
    little_endian: bool
    machine: str  # EM_X86_64: by the specification's names; EM_4242 where Linux never ran on it
    interpreter: str | None  # the loader that a program names (PT_INTERP)
    soname: str | None  # the name by which others need it (DT_SONAME)
    needed: tuple[str, ...]  # in the file's order, which is the order of the search for symbols (DT_NEEDED)
    rpath: tuple[str, ...]  # folders, with $ORIGIN as it's written (DT_RPATH)
    runpath: tuple[str, ...]  # the same (DT_RUNPATH)


def read_elf(content: Content) -> Elf | None:
    """The requests of ``content`` to its loader; None for a file that no loader takes.

    No loader takes another format, of which four bytes are read; an object file, a core file or a static program, which
    have neither a dynamic segment nor an interpreter; or a broken file, as wheels ship among their tests. Section
    headers may be absent or wrong: no loader looks at them.
    """
    with content.open() as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return None
        try:
            return elf_of(ElfReader(stream, content.size))
        except (MalformedElfError, UnsupportedElfError):
            return None


def elf_of(reader: ElfReader) -> Elf:
    """The requests of an ELF file to its loader; raises :class:`ElfError` for a file that no loader takes."""
    segments = reader.segments()
    first = {segment.type: segment for segment in reversed(segments)}
    interpreter, dynamic = first.get(PT_INTERP), first.get(PT_DYNAMIC)
    if interpreter is None and dynamic is None:
        raise UnsupportedElfError("no loader takes part in it: it has neither a dynamic segment nor an interpreter")
    strings = dynamic_strings(reader, dynamic) if dynamic else {}
    return Elf(
        is_64=reader.encoding.is_64,
        little_endian=reader.encoding.little_endian,
        machine=machine_of(reader),
        interpreter=_interpreter(reader, interpreter) if interpreter else None,
        soname=next(iter(strings.get(DT_SONAME, ())), None),
        needed=tuple(strings.get(DT_NEEDED, ())),
        rpath=_folders(strings.get(DT_RPATH, ())),
        runpath=_folders(strings.get(DT_RUNPATH, ())),
    )


def _interpreter(reader: ElfReader, segment: Segment) -> str:
    return os.fsdecode(string_at(reader.at(segment.offset, segment.filesz), 0))


def dynamic_strings(reader: ElfReader, dynamic: Segment) -> Mapping[int, list[str]]:
    """The entries of the ``dynamic`` segment that are strings, by tag."""
    entries = list(dynamic_entries(reader, dynamic))
    wanted = [entry for entry in entries if entry[0] in {DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH}]
    if not wanted:
        return {}
    table = string_table(reader, dict(entries))
    found: dict[int, list[str]] = {}
    for tag, offset in wanted:
        found.setdefault(tag, []).append(os.fsdecode(string_at(table, offset)))
    return found


def string_table(reader: ElfReader, entries: Mapping[int, int]) -> bytes:
    """The strings that the ``entries`` of a dynamic segment refer to by offset."""
    if not {DT_STRTAB, DT_STRSZ} <= entries.keys():
        raise MalformedElfError("its dynamic segment has no string table")
    return reader.at(file_offset(reader.segments(), entries[DT_STRTAB]), entries[DT_STRSZ])


def dynamic_entries(reader: ElfReader, dynamic: Segment) -> Iterator[tuple[int, int]]:
    """Tags and values of the ``dynamic`` segment, up to the one that ends it."""
    return entries_in(reader.at(dynamic.offset, dynamic.filesz), reader.encoding)


def entries_in(data: bytes, encoding: Encoding) -> Iterator[tuple[int, int]]:
    """Tags and values in the bytes of a dynamic segment, up to the one that ends it (``Elf_Dyn``)."""
    layout = encoding.dynamic
    for tag, value in layout.iter_unpack(data[: len(data) - len(data) % layout.size]):
        if tag == DT_NULL:
            return
        yield tag, value


def file_offset(segments: Sequence[Segment], address: int) -> int:
    """The place in the file of what is loaded at ``address``; raises :class:`MalformedElfError` where nothing is."""
    for segment in segments:
        if segment.type == PT_LOAD and 0 <= address - segment.vaddr < segment.filesz:
            return segment.offset + address - segment.vaddr
    raise MalformedElfError(f"no segment is loaded at {address:#x}")


def _folders(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(folder for path in paths for folder in path.split(":") if folder)


def machine_of(reader: ElfReader) -> str:
    """The processor that a file is for, by the specification's name: ``EM_X86_64``."""
    return machine_name(reader.header.machine)
