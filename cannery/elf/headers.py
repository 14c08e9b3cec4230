"""The headers of an ELF file, read as they are written (System V ABI, chapters 4 and 5; elf(5)).

The fields have the specification's names without the prefix. Nothing is believed that lies outside the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from cannery.elf.spans import Span

__all__ = [
    "MAGIC",
    "ElfError",
    "ElfReader",
    "Encoding",
    "Header",
    "MalformedElfError",
    "Section",
    "Segment",
    "UnsupportedElfError",
    "string_at",
]

MAGIC = b"\x7fELF"


class ElfError(Exception):
    """A file that begins like an ELF file is not one that can be read or rewritten; its text says why."""


class MalformedElfError(ElfError):
    """The file does not go on like an ELF file: it points outside itself, or contradicts itself."""

    def __str__(self) -> str:
        return f"it is malformed: {super().__str__()}"


class UnsupportedElfError(ElfError):
    """The file may be well-formed, and is not of a kind that this room rewrites."""


class Header(NamedTuple):
    """The header of a file: its kind, and where its tables are (``Elf_Ehdr``)."""

    ident: bytes
    type: int
    machine: int
    version: int
    entry: int
    phoff: int
    shoff: int
    flags: int
    ehsize: int
    phentsize: int
    phnum: int
    shentsize: int
    shnum: int
    shstrndx: int


class Segment(NamedTuple):
    """A range of the file, as a loader sees it (``Elf_Phdr``); the fields are in the order of 64-bit files."""

    type: int
    flags: int
    offset: int  # in the file
    vaddr: int  # in memory, in a file that is loaded at zero
    paddr: int
    filesz: int  # bytes in the file
    memsz: int  # bytes in memory: those that the file lacks are zeros
    align: int  # offset and vaddr leave the same remainder when they are divided by it

    @property
    def span(self) -> Span:
        """The addresses that the file has bytes for."""
        return Span.sized(self.vaddr, self.filesz)


class Section(NamedTuple):
    """A range of the file, as linkers, debuggers and curious people see it (``Elf_Shdr``)."""

    name: int  # where it starts in the section .shstrtab
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int
    info: int
    addralign: int
    entsize: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """How wide the file's numbers are, and which of their bytes comes first."""

    is_64: bool
    little_endian: bool

    @classmethod
    def of(cls, ident: bytes) -> Encoding:
        """Read ``e_ident``."""
        word, order = ident[4], ident[5]
        if ident[:4] != MAGIC or word not in {1, 2} or order not in {1, 2}:
            raise MalformedElfError("its class or its byte order is neither of the two there are")
        return cls(is_64=word == 2, little_endian=order == 1)  # noqa: PLR2004  # ELFCLASS64, ELFDATA2LSB

    @property
    def header(self) -> struct.Struct:
        """Of a :class:`Header`."""
        return self._struct("16sHHIQQQIHHHHHH", "16sHHIIIIIHHHHHH")

    @property
    def segment(self) -> struct.Struct:
        """Of a row of the program header table; :meth:`segments` reads and orders such rows."""
        return self._struct("IIQQQQQQ", "IIIIIIII")

    def segments(self, table: bytes) -> list[Segment]:
        """Read a program header table: rows of 32-bit files have the flags last but one."""
        rows = self.segment.iter_unpack(table)
        if self.is_64:
            return [Segment._make(row) for row in rows]
        return [Segment._make((kind, flags, *where, align)) for kind, *where, flags, align in rows]

    @property
    def section(self) -> struct.Struct:
        """Of a :class:`Section`."""
        return self._struct("IIQQQQIIQQ", "IIIIIIIIII")

    @property
    def dynamic(self) -> struct.Struct:
        """Of an entry of the dynamic segment: its tag and its value (``Elf_Dyn``)."""
        return self._struct("qQ", "iI")

    def _struct(self, wide: str, narrow: str) -> struct.Struct:
        return struct.Struct(("<" if self.little_endian else ">") + (wide if self.is_64 else narrow))


class ElfReader:
    """Reads an ELF file of ``size`` bytes; :class:`MalformedElfError` where it points outside itself."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.size = size
        self.encoding = Encoding.of(self.at(0, 16))
        self.header = Header._make(self.encoding.header.unpack(self.at(0, self.encoding.header.size)))

    def at(self, offset: int, size: int) -> bytes:
        """``size`` bytes from ``offset`` on."""
        if offset + size > self.size:
            raise MalformedElfError(f"{size} bytes at {offset} are not in a file of {self.size}")
        self._stream.seek(offset)
        data = self._stream.read(size)
        if len(data) != size:
            raise MalformedElfError(f"it ends before its {self.size} bytes are read")
        return data

    def segments(self) -> list[Segment]:
        """The program header table."""
        header, layout = self.header, self.encoding.segment
        return self.encoding.segments(self._table(layout, header.phoff, header.phentsize, header.phnum))

    def sections(self) -> list[Section]:
        """The section header table."""
        header, layout = self.header, self.encoding.section
        table = self._table(layout, header.shoff, header.shentsize, header.shnum)
        return [Section._make(row) for row in layout.iter_unpack(table)]

    def _table(self, layout: struct.Struct, offset: int, row: int, rows: int) -> bytes:
        if rows and row != layout.size:
            raise MalformedElfError(f"a row of a table has {row} bytes instead of {layout.size}")
        return self.at(offset, row * rows)


def string_at(table: bytes, offset: int) -> bytes:
    """The string that starts at ``offset`` of a string table."""
    end = table.find(b"\0", offset)
    if end < 0:
        raise MalformedElfError(f"no string at {offset} of a table of {len(table)} bytes")
    return table[offset:end]
