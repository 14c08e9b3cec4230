"""Versions of symbols: which an ELF file asks others for, and which it defines (GNU's symbol versioning; LSB, part 5).

Each function of glibc is asked for by the version that it came with or last changed in, so the newest of those is the
oldest glibc that the file runs with.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, NamedTuple

from cannery.elf.constants import DT_VERNEED, PT_DYNAMIC
from cannery.elf.dynamic import dynamic_entries, file_offset, string_table
from cannery.elf.headers import MAGIC, ElfReader, string_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cannery.image.content import Content

    _At = Callable[[int, int], bytes]  # address, how many -> the bytes there

__all__ = [
    "GLIBC_ABI_DT_RELR",
    "NEED",
    "VERSION",
    "AskedVersion",
    "VersionNeed",
    "elf_hash",
    "highest_defined",
    "needed_glibc",
    "version_needs",
]

GLIBC_ABI_DT_RELR = b"GLIBC_ABI_DT_RELR"  # the version by which glibc says, since 2.36, that it reads DT_RELR
NEED = "HHIII"  # Elf_Verneed: 1, how many versions, the library's name, where they are, where the next need is
VERSION = "IHHII"  # Elf_Vernaux: the fields of an AskedVersion, where the next one is
_DEFINED = "HHHHIII"  # Elf_Verdef: 1, flags, a number, how many names, a digest, where they are, where the next one is
_NUMBER = 0x7FFF  # the bits that are a version's number; the other one hides a symbol
_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")


class AskedVersion(NamedTuple):
    """A version that is asked of a shared library (``Elf_Vernaux``)."""

    digest: int  # of its name, by :func:`elf_hash`
    flags: int
    other: int  # the number by which symbols refer to it (DT_VERSYM)
    name: int  # where it starts in the string table

    @property
    def number(self) -> int:
        """The number, without the bit that hides a symbol."""
        return self.other & _NUMBER


class VersionNeed(NamedTuple):
    """A shared library that versions are asked of (``Elf_Verneed``)."""

    file: int  # where its name starts in the string table
    versions: tuple[AskedVersion, ...]


def needed_glibc(content: Content) -> tuple[int, int]:
    """The newest version of glibc that a file asks for, so that it runs with no older one; 0.0 where it asks for none.

    It asks for none where it isn't ELF. Raises :class:`MalformedElfError` where its tables lie outside the file.
    """
    with content.open() as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return 0, 0
        return max(map(_glibc_of, _asked_names(ElfReader(stream, content.size))), default=(0, 0))


def _glibc_of(version: bytes) -> tuple[int, int]:
    if version == GLIBC_ABI_DT_RELR:
        return 2, 36
    match = _GLIBC.fullmatch(version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _asked_names(reader: ElfReader) -> Iterator[bytes]:
    """The names of the versions that a file asks for, whichever library it asks."""
    segments = reader.segments()
    dynamic = next((segment for segment in segments if segment.type == PT_DYNAMIC), None)
    entries = dict(dynamic_entries(reader, dynamic)) if dynamic else {}
    if DT_VERNEED not in entries:
        return
    names = string_table(reader, entries)

    def at(address: int, size: int) -> bytes:
        return reader.at(file_offset(segments, address), size)

    for need in version_needs(at, entries[DT_VERNEED], little_endian=reader.encoding.little_endian):
        yield from (string_at(names, version.name) for version in need.versions)


def version_needs(at: _At, start: int, *, little_endian: bool = True) -> Iterator[VersionNeed]:
    """Read the table at the address ``start``; ``at`` returns the bytes at an address, as many as it's asked for."""
    order = "<" if little_endian else ">"
    layout, step = struct.Struct(order + NEED), 1
    while step:
        _, count, file, first, step = layout.unpack(at(start, layout.size))
        yield VersionNeed(file, tuple(_asked(at, start + first, count, struct.Struct(order + VERSION))))
        start += step


def _asked(at: _At, place: int, count: int, layout: struct.Struct) -> Iterator[AskedVersion]:
    for _ in range(count):
        *version, step = layout.unpack(at(place, layout.size))
        yield AskedVersion._make(version)
        place += step


def highest_defined(at: _At, start: int | None) -> int:
    """The highest number of a version that a little-endian file defines itself; 1, the file's own, where none."""
    layout = struct.Struct("<" + _DEFINED)
    highest, step, place = 1, 1, start or 0
    while place and step:
        _, _, number, _, _, _, step = layout.unpack(at(place, layout.size))
        highest = max(highest, number & _NUMBER)
        place += step
    return highest


def elf_hash(name: bytes) -> int:
    """The number that stands for a version's name (System V gABI, "Hash Table")."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ (value & 0xF0000000) >> 24) & 0x0FFFFFFF
    return value
