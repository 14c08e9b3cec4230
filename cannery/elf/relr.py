"""Relocations in less room: those that only add where a library was loaded take a bit each instead of 24 bytes.

glibc reads that form since 2.36 (DT_RELR; generic ABI, "Relocation"), and asks files that have it to say so by a
version of its own.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from cannery.elf.headers import string_at
from cannery.elf.rewrite import PF_W
from cannery.elf.spans import Span
from cannery.elf.symbols import Symbols

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from cannery.elf.rewrite import LoadedElf

    _Row = tuple[int, int, int]  # place, symbol and type, addend

__all__ = ["ABI", "pack_relocations"]

ABI = b"GLIBC_ABI_DT_RELR"  # the version by which a C library says that it can do this

_PLTRELSZ, _STRTAB, _RELA, _RELASZ, _RELAENT, _STRSZ = 2, 5, 7, 8, 9, 10  # DT_…
_PLTREL, _TEXTREL, _JMPREL, _FLAGS, _RELRSZ, _RELR, _RELRENT = 20, 22, 23, 30, 35, 36, 37
_RELACOUNT, _FLAGS_1, _VERDEF, _VERNEED = 0x6FFFFFF9, 0x6FFFFFFB, 0x6FFFFFFC, 0x6FFFFFFE
_DF_TEXTREL, _DF_1_NOW = 4, 1
_RELATIVE = {62: 8, 183: 1027}  # R_X86_64_RELATIVE, R_AARCH64_RELATIVE, by e_machine
_SYMBOLIC = {62: {1: True, 6: False}, 183: {257: True, 1025: True}}  # …_64 or ABS64, GLOB_DAT; with their addend?
_PLAIN = {0, 1, 2}  # STT_NOTYPE, STT_OBJECT, STT_FUNC
_STB_GNU_UNIQUE, _SHN_ABS = 10, 0xFFF1
_ENTRY = struct.Struct("<QQq")  # Elf64_Rela
_NEED = struct.Struct("<HHIII")  # Elf64_Verneed
_VERSION = struct.Struct("<IHHII")  # Elf64_Vernaux
_DEFINED = struct.Struct("<HHHHIII")  # Elf64_Verdef
_WORD = struct.Struct("<Q")
_BITS = 63  # of a word of DT_RELR that say which of the next words are meant


def pack_relocations(program: LoadedElf, own: Collection[bytes] = ()) -> bool:
    """Pack what can be; returns whether anything was.

    ``own`` are names of symbols that are the program's wherever one of that name is looked for: nobody else has them.
    """
    table = _table(program)
    if table is None:
        return False
    rest, values = _sorted_out(program, list(_ENTRY.iter_unpack(program.at(table))), own)
    if not values:
        return False
    tables = _Tables.made(program, table, rest, sorted(values))
    if tables is None:
        return False
    for place, value in values.items():
        program.write(place, _WORD.pack(value % (1 << 64)))
    program.write(tables.room.start, tables.data.ljust(tables.room.size, b"\0"))
    program.set_tags(tables.tags)
    program.drop(Span(tables.room.start + len(tables.data), tables.room.stop))
    return True


def _table(program: LoadedElf) -> Span | None:
    """Where the relocations lie, if it's where linkers put them and nothing speaks against changing them."""
    start, size, entry = (program.tag(tag) for tag in (_RELA, _RELASZ, _RELAENT))
    if not start or not size or entry != _ENTRY.size or size % _ENTRY.size:
        return None
    if program.tag(_RELR) is not None or program.tag(_TEXTREL) is not None:
        return None
    if (program.tag(_FLAGS) or 0) & _DF_TEXTREL or program.tag(_PLTREL) not in {None, _RELA}:
        return None
    table = Span.sized(start, size)
    plt = program.tag(_JMPREL)
    return None if plt is not None and start <= plt < table.stop else table


def _sorted_out(program: LoadedElf, rows: list[_Row], own: Collection[bytes]) -> tuple[list[_Row], dict[int, int]]:
    """The relocations that stay what they are; and what lies, in a file loaded at zero, where the others point."""
    symbols = Symbols.read(program) if own else None
    times = Counter(place for place, _, _ in rows)
    rest: list[_Row] = []
    values: dict[int, int] = {}
    for row in rows:
        place, info, addend = row
        bound = _bound(program, row, symbols, own) if symbols else None
        value = addend if _is_relative(program, row) else bound
        if value is None or times[place] > 1 or place % _WORD.size or not _writable(program, place):
            rest.append((place, info, addend))
        else:
            values[place] = value
    return rest, values


def _is_relative(program: LoadedElf, row: _Row) -> bool:
    return row[1] & 0xFFFFFFFF == _RELATIVE[program.header.machine]


def _writable(program: LoadedElf, place: int) -> bool:
    segment = program.segment_of(Span.sized(place, _WORD.size))
    return segment is not None and bool(segment.flags & PF_W)


def _bound(program: LoadedElf, row: _Row, symbols: Symbols, own: Collection[bytes]) -> int | None:
    """What a relocation writes into a file that's loaded at zero; None where that's for the loader to find out."""
    _, info, addend = row
    with_addend = _SYMBOLIC[program.header.machine].get(info & 0xFFFFFFFF)
    symbol = symbols.row(info >> 32) if with_addend is not None else None
    if symbol is None or symbol.section in {0, _SHN_ABS}:
        return None
    if symbol.info & 15 not in _PLAIN or symbol.info >> 4 == _STB_GNU_UNIQUE or symbols.name(symbol) not in own:
        return None
    return symbol.value + (addend if with_addend else 0)


@dataclass(frozen=True)
class _Tables:
    """What is to lie where the large table was, and what the dynamic segment is to say."""

    room: Span
    data: bytes
    tags: dict[int, int | None]

    @classmethod
    def made(cls, program: LoadedElf, table: Span, rest: list[_Row], places: list[int]) -> _Tables | None:
        """The tables; None where they don't fit, or save nothing."""
        plt = Span.sized(program.tag(_JMPREL) or 0, program.tag(_PLTRELSZ) or 0)
        follows = bool(plt.size) and plt.start == table.stop
        entries = b"".join(_ENTRY.pack(*row) for row in rest)
        plts = program.at(plt) if follows else b""
        relative = sum(1 for _ in takewhile(lambda row: _is_relative(program, row), rest))
        packed = b"".join(map(_WORD.pack, _words(places)))
        start = table.start + len(entries) + len(plts)
        versions = _versions(program, start + len(packed))
        if versions is None:
            return None
        room = Span(table.start, plt.stop) if follows else table
        data = entries + plts + packed + versions[0]
        tags = {_RELASZ: len(entries), _RELACOUNT: relative or None, **versions[1]}
        tags |= {_RELR: start, _RELRSZ: len(packed), _RELRENT: _WORD.size}
        if follows:
            tags[_JMPREL] = table.start + len(entries)
        if not rest:
            tags |= {_RELA: None, _RELASZ: None, _RELAENT: None}
        elif follows and _lacking(program, tags) and (program.tag(_FLAGS_1) or 0) & _DF_1_NOW:
            # bound when it's loaded, one table is as good as two, and takes fewer entries
            tags |= {_RELASZ: len(entries) + len(plts), _JMPREL: None, _PLTRELSZ: None, _PLTREL: None}
        return None if len(data) >= room.size or _lacking(program, tags) else cls(room, data, tags)


def _lacking(program: LoadedElf, tags: Mapping[int, int | None]) -> bool:
    """Whether the dynamic segment has too little room for ``tags``."""
    known = {tag for tag, _ in program.dynamic}
    added = sum(value is not None for tag, value in tags.items() if tag not in known)
    return added - sum(value is None for tag, value in tags.items() if tag in known) > program.spare_tags


def _words(places: list[int]) -> Iterator[int]:
    """A place, and a bit for each of the words that follow it, as often as needed (generic ABI, "Relocation")."""
    number = 0
    while number < len(places):
        yield places[number]
        base = places[number] + _WORD.size
        number += 1
        while True:
            bits = 0
            while number < len(places) and places[number] - base < _BITS * _WORD.size:
                bits |= 1 << (places[number] - base) // _WORD.size
                number += 1
            if not bits:
                break
            yield bits << 1 | 1
            base += _BITS * _WORD.size


def _versions(program: LoadedElf, place: int) -> tuple[bytes, dict[int, int | None]] | None:
    """The versions that the program needs, and the one that says how its relocations are packed, for ``place``.

    Nothing where it asks no C library for versions; None where there's no telling.
    """
    start, names, size = (program.tag(tag) for tag in (_VERNEED, _STRTAB, _STRSZ))
    if not start:
        return b"", {}
    if not names or not size or place < names:
        return None
    strings = program.at(Span.sized(names, size))
    needs = [(string_at(strings, file), file, asked) for file, asked in _needs(program, start)]
    asks_libc = sum(name.startswith(b"libc.so.") for name, _, _ in needs)
    if not asks_libc:
        return b"", {}
    number = 1 + max(_defined(program), *(other & 0x7FFF for _, _, asked in needs for _, _, other, _ in asked))
    length = _NEED.size * len(needs) + _VERSION.size * (asks_libc + sum(len(asked) for _, _, asked in needs))
    data = b""
    for index, (name, file, asked) in enumerate(needs):
        mine = [(_elf_hash(ABI), 0, number, place + length - names)] if name.startswith(b"libc.so.") else []
        everything = [*asked, *mine]
        following = _NEED.size + _VERSION.size * len(everything) if index + 1 < len(needs) else 0
        data += _NEED.pack(1, len(everything), file, _NEED.size, following)
        for left, (digest, flags, other, text) in zip(range(len(everything))[::-1], everything, strict=True):
            data += _VERSION.pack(digest, flags, other, text, _VERSION.size if left else 0)
    data += ABI + b"\0"
    return data, {_VERNEED: place, _STRSZ: place + len(data) - names}


def _needs(program: LoadedElf, start: int) -> Iterator[tuple[int, list[tuple[int, int, int, int]]]]:
    """The files that versions are asked of, and for each the versions (``Elf64_Verneed``, ``Elf64_Vernaux``)."""
    step = 1
    while step:
        _, count, file, aux, step = _NEED.unpack(program.at(Span.sized(start, _NEED.size)))
        asked, place = [], start + aux
        for _ in range(count):
            *version, further = _VERSION.unpack(program.at(Span.sized(place, _VERSION.size)))
            asked.append((version[0], version[1], version[2], version[3]))
            place += further
        yield file, asked
        start += step


def _defined(program: LoadedElf) -> int:
    """The highest number of a version that the program itself defines (``Elf64_Verdef``)."""
    start, highest, step = program.tag(_VERDEF) or 0, 1, 1
    while start and step:
        _, _, number, _, _, _, step = _DEFINED.unpack(program.at(Span.sized(start, _DEFINED.size)))
        highest = max(highest, number & 0x7FFF)
        start += step
    return highest


def _elf_hash(name: bytes) -> int:
    """The number that stands for a version's name (System V ABI, "Hash Table")."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ (value & 0xF0000000) >> 24) & 0x0FFFFFFF
    return value
