"""The names that a shared library has for others, and those that it asks of them, as its loader counts them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.elf.constants import (
    DT_GNU_HASH,
    DT_HASH,
    DT_STRSZ,
    DT_STRTAB,
    DT_SYMTAB,
    PT_DYNAMIC,
    SHN_UNDEF,
    STB_LOCAL,
    STB_WEAK,
)
from cannery.elf.dynamic import dynamic_entries, elf_of, file_offset, string_table
from cannery.elf.headers import ElfReader, MalformedElfError, UnsupportedElfError, string_at
from cannery.elf.symbols import LAYOUT, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.elf.dynamic import Elf
    from cannery.image.content import Content

__all__ = ["ExchangedSymbols", "exchanged_symbols"]

_WORD = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class ExchangedSymbols:
    """A shared library as those see it that are loaded with it."""

    elf: Elf
    defined: frozenset[str]
    asked: Mapping[str, bool]  # names that it looks for elsewhere; True where it does without (weak)


def exchanged_symbols(content: Content) -> ExchangedSymbols:
    """The symbols that a shared library exchanges with others; raises :class:`ElfError` where it is none for 64 bits.

    What nobody asks for by a wrong count would be refused by name, so symbols are counted as a loader does it: by the
    hash tables, DT_HASH and DT_GNU_HASH.
    """
    with content.open() as stream:
        reader = ElfReader(stream, content.size)
        if not reader.encoding.is_64 or not reader.encoding.little_endian:
            raise UnsupportedElfError("it isn't for a machine of 64 bits")
        elf = elf_of(reader)
        dynamic = next((each for each in reader.segments() if each.type == PT_DYNAMIC), None)
        if dynamic is None:
            raise UnsupportedElfError("it is no shared library: it has no dynamic segment")
        entries = dict(dynamic_entries(reader, dynamic))
        names = string_table(reader, entries) if DT_STRSZ in entries else b""
        return _exchanged(elf, list(_symbols(reader, entries)), names)


def _exchanged(elf: Elf, symbols: list[Symbol], names: bytes) -> ExchangedSymbols:
    defined: set[str] = set()
    asked: dict[str, bool] = {}
    for symbol in symbols:
        name = string_at(names, symbol.name).decode("ascii", "replace")
        if not name or symbol.binding == STB_LOCAL:
            continue
        if symbol.section != SHN_UNDEF:
            defined.add(name)
        else:
            asked[name] = symbol.binding == STB_WEAK and asked.get(name, True)
    return ExchangedSymbols(elf, frozenset(defined), asked)


def _symbols(reader: ElfReader, entries: Mapping[int, int]) -> Iterator[Symbol]:
    if DT_SYMTAB not in entries:
        return iter(())
    count = _count(reader, entries)
    table = reader.at(file_offset(reader.segments(), entries[DT_SYMTAB]), count * LAYOUT.size)
    return map(Symbol._make, LAYOUT.iter_unpack(table))


def _count(reader: ElfReader, entries: Mapping[int, int]) -> int:
    """The number of symbols, which is written nowhere."""
    segments = reader.segments()
    if DT_HASH in entries:
        return _words(reader, file_offset(segments, entries[DT_HASH]), 2)[1]
    if DT_GNU_HASH in entries and (count := _hashed(reader, file_offset(segments, entries[DT_GNU_HASH]))):
        return count
    if entries[DT_STRTAB] > entries[DT_SYMTAB]:  # where all linkers put the names: behind the symbols
        return (entries[DT_STRTAB] - entries[DT_SYMTAB]) // LAYOUT.size
    raise MalformedElfError("its symbols can't be counted: it has no table of hashes")


def _hashed(reader: ElfReader, start: int) -> int:
    """One more than the highest number in GNU's hash table, which follow those that aren't in it; 0 if it's empty."""
    buckets, first, filters, _ = _words(reader, start, 4)
    place = start + 16 + 8 * filters
    last = max(_words(reader, place, buckets), default=0)
    if last < first:
        return 0
    place += 4 * buckets + 4 * (last - first)
    while not _words(reader, place, 1)[0] & 1:  # the mark of the last one in a chain
        place, last = place + 4, last + 1
    return last + 1


def _words(reader: ElfReader, offset: int, count: int) -> list[int]:
    return [number for (number,) in _WORD.iter_unpack(reader.at(offset, 4 * count))]
