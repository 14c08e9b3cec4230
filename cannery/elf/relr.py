"""Relocations in less room: those that only add where a library was loaded take a bit each instead of 24 bytes.

glibc reads that form since 2.36 (DT_RELR; System V gABI, "Relocation"), and asks files that have it to say so by a
version of its own. README.md beside this module has an example.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from cannery.elf.constants import (
    DF_1_NOW,
    DF_TEXTREL,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_JMPREL,
    DT_PLTREL,
    DT_PLTRELSZ,
    DT_RELA,
    DT_RELACOUNT,
    DT_RELAENT,
    DT_RELASZ,
    DT_RELR,
    DT_RELRENT,
    DT_RELRSZ,
    DT_STRSZ,
    DT_STRTAB,
    DT_TEXTREL,
    DT_VERDEF,
    DT_VERNEED,
    PF_W,
    SHN_ABS,
    SHN_UNDEF,
    STB_GNU_UNIQUE,
    STT_FUNC,
    STT_NOTYPE,
    STT_OBJECT,
)
from cannery.elf.headers import UnsupportedElfError, string_at
from cannery.elf.spans import Span
from cannery.elf.symbols import Symbols
from cannery.elf.versions import (
    GLIBC_ABI_DT_RELR,
    NEED,
    VERSION,
    AskedVersion,
    elf_hash,
    highest_defined,
    version_needs,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from cannery.elf.rewrite import LoadedElf

    _Row = tuple[int, int, int]  # place, symbol and type, addend

__all__ = ["has_relative", "pack_relocations"]

# Functions that others may replace by design (glibc manual, "Replacing malloc"; C++'s operators new and delete): with
# some of a library's calls bound and some not, one would free what the other gave.
_REPLACED = re.compile(
    rb"malloc(_usable_size)?|free|calloc|realloc|reallocarray|aligned_alloc|memalign|posix_memalign|p?valloc|_Z(n[wa]|d[la]).*"
)
_PLAIN = {STT_NOTYPE, STT_OBJECT, STT_FUNC}
_ENTRY = struct.Struct("<QQq")  # Elf64_Rela
_NEED, _VERSION = struct.Struct("<" + NEED), struct.Struct("<" + VERSION)
_WORD = struct.Struct("<Q")
_BITS = 63  # of a word of DT_RELR that say which of the next words are meant


def has_relative(program: LoadedElf) -> bool:
    """True where a file has relocations in the long form that only add where it was loaded (DT_RELACOUNT)."""
    return bool(program.tag(DT_RELACOUNT))


def pack_relocations(program: LoadedElf, own: Collection[bytes] = ()) -> bool:
    """Pack what can be; returns whether anything was.

    ``own`` are names of symbols that are defined exactly once among all files that are loaded together, so that what
    a look-up finds is known. Raises :class:`UnsupportedElfError`, and changes nothing, where packing could do harm.
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
    """The addresses of the relocations; None where there are none, or where some are packed already.

    Raises :class:`UnsupportedElfError` where something speaks against moving them.
    """
    start, size, entry = (program.tag(tag) for tag in (DT_RELA, DT_RELASZ, DT_RELAENT))
    # A file has one table of packed relocations, and the linker has put everything there that can be.
    if not start or not size or program.tag(DT_RELR) is not None:
        return None
    # Nobody but its own code relocates it, which was linked in before: musl's reads the short form since 1.2.4.
    if program.loads_itself:
        raise UnsupportedElfError("it relocates itself (-static-pie), and may not read the short form")
    # Rows are read as Elf64_Rela, whatever the file says.
    if entry != _ENTRY.size or size % _ENTRY.size:
        raise UnsupportedElfError(f"its relocations have {entry} bytes each instead of {_ENTRY.size}")
    # Relocations of code: the loader makes it writable while it works through them, which few files need any more and
    # nothing here was tried with.
    if program.tag(DT_TEXTREL) is not None or (program.tag(DT_FLAGS) or 0) & DF_TEXTREL:
        raise UnsupportedElfError("its relocations change its code (DT_TEXTREL)")
    # The table of the PLT is moved along, and may become a part of this one: its rows must be of the same form.
    if program.tag(DT_PLTREL) not in {None, DT_RELA}:
        raise UnsupportedElfError("the relocations of its PLT have another form (DT_REL)")
    # Some linkers count the PLT's rows in DT_RELASZ too: then rows that look free are not.
    table = Span.sized(start, size)
    plt = program.tag(DT_JMPREL)
    if plt is not None and start <= plt < table.stop:
        raise UnsupportedElfError("the relocations of its PLT lie among the others")
    return table


def _sorted_out(program: LoadedElf, rows: list[_Row], own: Collection[bytes]) -> tuple[list[_Row], dict[int, int]]:
    """The relocations that stay as they are; and for each packed place the value to write there, if loaded at zero.

    The long form has that value in its row and ignores what lies at the place; the short form adds to what lies there.
    """
    symbols = Symbols.read(program) if own else None
    times = Counter(place for place, _, _ in rows)
    rest: list[_Row] = []
    values: dict[int, int] = {}
    for row in rows:
        place, info, addend = row
        bound = _bound(program, row, symbols, own) if symbols else None
        value = addend if _is_relative(program, row) else bound
        stays = (
            value is None  # for the loader to look up
            or times[place] > 1  # glibc works through packed ones first, so the last one would be another
            or place % _WORD.size != 0  # a bit stands for a whole word
            or not _writable(program, place)  # the value must lie in the file, and the loader be able to add to it
        )
        if stays or value is None:
            rest.append((place, info, addend))
        else:
            values[place] = value
    return rest, values


def _is_relative(program: LoadedElf, row: _Row) -> bool:
    return row[1] & 0xFFFFFFFF == program.processor.relative


def _writable(program: LoadedElf, place: int) -> bool:
    segment = program.segment_of(Span.sized(place, _WORD.size))
    return segment is not None and bool(segment.flags & PF_W)


def _bound(program: LoadedElf, row: _Row, symbols: Symbols, own: Collection[bytes]) -> int | None:
    """The address that a relocation writes into a file that's loaded at zero; None where the loader must look it up."""
    _, info, addend = row
    with_addend = program.processor.symbolic.get(info & 0xFFFFFFFF)
    symbol = symbols.row(info >> 32) if with_addend is not None else None
    # What others define is not known here; an absolute symbol's value doesn't move with the file.
    if symbol is None or symbol.section in {SHN_UNDEF, SHN_ABS}:
        return None
    # The value of others is no address: it is relative to a thread's memory (STT_TLS), or a function that returns the
    # address (STT_GNU_IFUNC). A unique symbol may be taken from a file that was loaded long before this one.
    if symbol.type not in _PLAIN or symbol.binding == STB_GNU_UNIQUE:
        return None
    name = symbols.name(symbol)
    if name not in own or _REPLACED.fullmatch(name):
        return None
    return symbol.value + (addend if with_addend else 0)


@dataclass(frozen=True)
class _Tables:
    """The smaller tables that take the large one's place, and the dynamic segment's new entries."""

    room: Span
    data: bytes
    tags: dict[int, int | None]

    @classmethod
    def made(cls, program: LoadedElf, table: Span, rest: list[_Row], places: list[int]) -> _Tables | None:
        """The tables; None where they save nothing.

        They are, one after the other: the relocations that stay, those of the PLT if they followed, the packed ones,
        the versions that the file asks for. Raises :class:`UnsupportedElfError` where the dynamic segment can't tell
        of them.
        """
        plt = Span.sized(program.tag(DT_JMPREL) or 0, program.tag(DT_PLTRELSZ) or 0)
        follows = bool(plt.size) and plt.start == table.stop
        entries = b"".join(_ENTRY.pack(*row) for row in rest)
        plts = program.at(plt) if follows else b""
        relative = sum(1 for _ in takewhile(lambda row: _is_relative(program, row), rest))
        packed = b"".join(map(_WORD.pack, _words(places)))
        start = table.start + len(entries) + len(plts)
        versions, version_tags = _versions(program, start + len(packed))
        room = Span(table.start, plt.stop) if follows else table
        data = entries + plts + packed + versions
        tags = {DT_RELASZ: len(entries), DT_RELACOUNT: relative or None, **version_tags}
        tags |= {DT_RELR: start, DT_RELRSZ: len(packed), DT_RELRENT: _WORD.size}
        if follows:
            tags[DT_JMPREL] = table.start + len(entries)
        if not rest:
            tags |= {DT_RELA: None, DT_RELASZ: None, DT_RELAENT: None}
        elif follows and _lacking(program, tags) > 0 and (program.tag(DT_FLAGS_1) or 0) & DF_1_NOW:
            # bound when it's loaded, one table is as good as two, and takes fewer entries
            tags |= {DT_RELASZ: len(entries) + len(plts), DT_JMPREL: None, DT_PLTRELSZ: None, DT_PLTREL: None}
        if len(data) >= room.size:
            return None
        if (lacking := _lacking(program, tags)) > 0:
            raise UnsupportedElfError(f"its dynamic segment has no room for {lacking} more entries")
        return cls(room, data, tags)


def _lacking(program: LoadedElf, tags: Mapping[int, int | None]) -> int:
    """How many entries the dynamic segment has too few for ``tags``; a negative number where it has some to spare."""
    known = {tag for tag, _ in program.dynamic}
    added = sum(value is not None for tag, value in tags.items() if tag not in known)
    return added - sum(value is None for tag, value in tags.items() if tag in known) - program.spare_tags


def _words(places: list[int]) -> Iterator[int]:
    """A place, and a bit for each of the words that follow it, as often as needed (gABI, "Relocation").

    An even word is a place; an odd one tells of the 63 words after the last that was told of.
    """
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


def _versions(program: LoadedElf, place: int) -> tuple[bytes, dict[int, int | None]]:
    """The table of versions that the file needs, with GLIBC_ABI_DT_RELR for glibc, to lie at ``place``; its tags.

    glibc refuses a file that asks it for versions and not for that one, if it has DT_RELR (elf/dl-version.c). A file
    that asks for none gets no table.

    The table of strings can't grow where it is, so the version's name lies behind the new table, and DT_STRSZ is
    raised until it's reached: the string table then has all that lies between as well. Strings are found by their
    distance from its start alone, so nobody sees the difference. It must lie before ``place``, since distances are
    not negative.
    """
    start, names, size = (program.tag(tag) for tag in (DT_VERNEED, DT_STRTAB, DT_STRSZ))
    if not start:
        return b"", {}
    # In one segment with what follows: whoever reads the table as a whole then finds all of it.
    if not names or not size or place < names or program.segment_of(Span(names, place)) is None:
        raise UnsupportedElfError("its relocations don't lie behind its strings, so a version can't be added")
    strings = program.at(Span.sized(names, size))
    needs = [(string_at(strings, need.file), need) for need in version_needs(program.at_address, start)]
    asks_libc = sum(name.startswith(b"libc.so.") for name, _ in needs)
    if not asks_libc:
        return b"", {}
    defined = highest_defined(program.at_address, program.tag(DT_VERDEF))
    number = 1 + max(defined, *(version.number for _, need in needs for version in need.versions))
    length = _NEED.size * len(needs) + _VERSION.size * (asks_libc + sum(len(need.versions) for _, need in needs))
    added = AskedVersion(elf_hash(GLIBC_ABI_DT_RELR), 0, number, place + length - names)
    data = b""
    for index, (name, need) in enumerate(needs):
        everything = [*need.versions, *([added] if name.startswith(b"libc.so.") else [])]
        following = _NEED.size + _VERSION.size * len(everything) if index + 1 < len(needs) else 0
        data += _NEED.pack(1, len(everything), need.file, _NEED.size, following)
        for left, version in zip(range(len(everything))[::-1], everything, strict=True):
            data += _VERSION.pack(*version, _VERSION.size if left else 0)
    data += GLIBC_ABI_DT_RELR + b"\0"
    return data, {DT_VERNEED: place, DT_STRSZ: place + len(data) - names}
