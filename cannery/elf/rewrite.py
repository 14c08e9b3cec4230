"""An ELF file taken apart as a loader sees it, and put together again without what its segments no longer need.

Addresses stay, so that no code has to change. What lies at them may lie elsewhere in the file: each segment is moved as
far to the front as its alignment allows, and one is made two where pages in its middle are gone (System V gABI,
chapter 5; elf(5)). README.md beside this module has an example.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cannery.elf.constants import (
    DF_1_PIE,
    DT_FLAGS_1,
    ET_DYN,
    ET_EXEC,
    NT_GNU_BUILD_ID,
    PT_DYNAMIC,
    PT_GNU_EH_FRAME,
    PT_INTERP,
    PT_LOAD,
    PT_NOTE,
)
from cannery.elf.dynamic import entries_in
from cannery.elf.headers import MAGIC, Encoding, Header, MalformedElfError, Section, Segment, UnsupportedElfError
from cannery.elf.machines import PROCESSORS, Processor, machine_name
from cannery.elf.spans import Span, merged, subtracted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.elf.sections import SectionTable

__all__ = ["LoadedElf"]

_ENCODING = Encoding(is_64=True, little_endian=True)
_NOTE = struct.Struct("<III")  # Elf64_Nhdr
_ALIGNMENT = 8  # of the section header table


@dataclass
class LoadedElf:
    """A program or shared library in memory, whose bytes are read and written by their addresses."""

    data: bytearray
    header: Header
    segments: list[Segment]
    dynamic: list[tuple[int, int]]  # tags and values
    _dead: list[Span] = field(default_factory=list)

    @classmethod
    def read(cls, data: bytes) -> LoadedElf:
        """Take a file apart that is linked dynamically, has 64 bits, and is for x86-64 or AArch64.

        Raises :class:`UnsupportedElfError` for any other, and :class:`MalformedElfError` for one that points outside
        itself.
        """
        header = _header(data)
        rows = data[header.phoff : header.phoff + header.phnum * header.phentsize]
        if len(rows) != header.phnum * header.phentsize:
            raise MalformedElfError("its program headers lie outside the file")
        segments = _ENCODING.segments(rows)
        if any(each.offset + each.filesz > len(data) for each in segments):
            raise MalformedElfError("a segment lies outside the file")
        place = next((each for each in segments if each.type == PT_DYNAMIC), None)
        if place is None:
            raise UnsupportedElfError("it has no dynamic segment, as static programs have none")
        first = next((each for each in segments if each.type == PT_LOAD), None)
        if first is None or first.offset or first.filesz < header.phoff + len(rows):
            raise UnsupportedElfError("its first segment does not begin with the file's headers")
        whole = data[place.offset : place.offset + place.filesz]
        return cls(bytearray(data), header, segments, list(entries_in(whole, _ENCODING)))

    @property
    def processor(self) -> Processor:
        """The processor that the file is for."""
        return PROCESSORS[self.header.machine]

    @property
    def loads_itself(self) -> bool:
        """True for a static program that may lie at any address, and relocates itself (``-static-pie``)."""
        names_loader = any(each.type == PT_INTERP for each in self.segments)
        return bool((self.tag(DT_FLAGS_1) or 0) & DF_1_PIE) and not names_loader

    def loaded(self) -> Iterator[Segment]:
        """The segments that are mapped into memory (PT_LOAD)."""
        return (each for each in self.segments if each.type == PT_LOAD)

    def tag(self, tag: int) -> int | None:
        """The dynamic segment's value for ``tag``."""
        return next((value for each, value in self.dynamic if each == tag), None)

    def set_tags(self, values: dict[int, int | None]) -> None:
        """Change entries of the dynamic segment: those that are None go, and those that weren't there are added."""
        known = {tag for tag, _ in self.dynamic}
        changed = [(tag, values.get(tag, value)) for tag, value in self.dynamic]
        changed += [(tag, value) for tag, value in values.items() if tag not in known]
        self.dynamic = [(tag, value) for tag, value in changed if value is not None]

    @property
    def spare_tags(self) -> int:
        """How many entries the dynamic segment has room for, beside the one that ends it."""
        place = next(each for each in self.segments if each.type == PT_DYNAMIC)
        return place.filesz // _ENCODING.dynamic.size - 1 - len(self.dynamic)

    def segment_of(self, span: Span) -> Segment | None:
        """The segment that has the bytes for all addresses of ``span``."""
        return next((each for each in self.loaded() if _within(span, each.span)), None)

    def at(self, span: Span) -> bytes:
        """The bytes at the addresses of ``span``; raises :class:`MalformedElfError` where no segment has them all."""
        start = self._offset(span)
        return bytes(self.data[start : start + span.size])

    def at_address(self, address: int, size: int) -> bytes:
        """The ``size`` bytes from ``address`` on; raises as :meth:`at`."""
        return self.at(Span.sized(address, size))

    def write(self, address: int, data: bytes) -> None:
        """Write ``data`` at an ``address``."""
        start = self._offset(Span.sized(address, len(data)))
        self.data[start : start + len(data)] = data

    def drop(self, span: Span) -> None:
        """Note that nobody reads what lies at the addresses of ``span``."""
        self._dead = merged([*self._dead, span])

    def assembled(self, table: SectionTable | None = None) -> bytes:
        """The file as it is now, with a ``table`` of its sections, or with none."""
        self._write_dynamic()
        parts = self._parts()
        moved = [part._replace(offset=place) for part, place in zip(parts, self._places(parts), strict=True)]
        result = bytearray(max(each.offset + each.filesz for each in moved))
        for part, new in zip(parts, moved, strict=True):
            result[new.offset : new.offset + new.filesz] = self.data[part.offset : part.offset + part.filesz]
        header = self._write_segments(result, moved)
        if table is not None:
            table = replace(table, sections=tuple(_moved_section(each, moved, self._dead) for each in table.sections))
            start = _up(len(result), _ALIGNMENT)
            result += bytes(start - len(result)) + table.render(start)
            header = header._replace(shoff=start, shnum=table.rows, shstrndx=table.rows - 1)
        result[: _ENCODING.header.size] = _ENCODING.header.pack(*header)
        return bytes(result)

    def _offset(self, span: Span) -> int:
        segment = self.segment_of(span)
        if segment is None:
            raise MalformedElfError(f"no segment has all of {span.start:#x} to {span.stop:#x}")
        return span.start - segment.vaddr + segment.offset

    def _write_dynamic(self) -> None:
        place = next(each for each in self.segments if each.type == PT_DYNAMIC)
        data = b"".join(_ENCODING.dynamic.pack(*entry) for entry in self.dynamic)
        self.data[place.offset : place.offset + place.filesz] = data.ljust(place.filesz, b"\0")

    def _write_segments(self, result: bytearray, moved: list[Segment]) -> Header:
        """Write the program headers, and return the file's own with no sections.

        Headers that stood before the first segment that is loaded stay before it: PT_PHDR and PT_INTERP must.
        """
        others = [_moved(each, moved) for each in self._others()]
        first = next(number for number, each in enumerate(self.segments) if each.type == PT_LOAD)
        before = sum(each in self.segments[:first] for each in self._others())
        rows = [*others[:before], *moved, *others[before:]]
        start = _ENCODING.header.size
        room = self.header.phnum * _ENCODING.segment.size
        data = b"".join(_ENCODING.segment.pack(*row) for row in rows)
        result[start : start + room] = data.ljust(room, b"\0")
        return self.header._replace(phnum=len(rows), shoff=0, shnum=0, shstrndx=0)

    def _others(self) -> list[Segment]:
        """The program headers that map nothing by themselves, without those for what's gone."""
        return [
            each
            for each in self.segments
            if each.type != PT_LOAD
            and not (each.type == PT_GNU_EH_FRAME and any(_within(each.span, span) for span in self._dead))
            and not (each.type == PT_NOTE and self._is_build_id(each))
        ]

    def _is_build_id(self, segment: Segment) -> bool:
        """True for a note that only tells a debugger which file this is: its header makes room for a segment's."""
        data = self.data[segment.offset : segment.offset + segment.filesz]
        if len(data) < _NOTE.size:
            return False
        name, description, kind = _NOTE.unpack_from(data)
        only = _NOTE.size + -(-name // 4) * 4 + -(-description // 4) * 4
        return kind == NT_GNU_BUILD_ID and bytes(data[_NOTE.size :][:name]) == b"GNU\0" and only == len(data)

    def _parts(self) -> list[Segment]:
        """The segments that are mapped, in as many parts as there is room for headers: the largest holes come first.

        The program headers can't grow: what follows them has an address of its own.
        """
        room = self.header.phnum - len(self._others())
        holes = sorted(self._dead, key=lambda span: span.size, reverse=True)
        parts = list(self.loaded())
        for hole in holes:
            split = [part for segment in parts for part in _without(segment, hole, self.processor.page)]
            parts = split if len(split) <= room else parts
        return parts

    def _places(self, parts: Iterable[Segment]) -> Iterator[int]:
        """The offsets at which the segments are to lie: as far to the front as their addresses within a page allow.

        A file is mapped by whole pages, so an offset must leave the same remainder as the address (gABI, chapter 5).
        """
        end = 0
        for part in parts:
            place = end + (part.vaddr - end) % max(part.align, self.processor.page)
            yield place
            end = place + part.filesz if part.filesz else end


def _header(data: bytes) -> Header:
    """The header of a file that can be taken apart; raises :class:`UnsupportedElfError` for any other."""
    layout = _ENCODING.header
    if data[: len(MAGIC)] != MAGIC or len(data) < layout.size:
        raise MalformedElfError("it has no whole header")
    if data[4:6] != b"\x02\x01":  # ELFCLASS64, ELFDATA2LSB
        raise UnsupportedElfError("it is for a processor of 32 bits, or one that puts the high byte first")
    header = Header._make(layout.unpack_from(data))
    if header.type not in {ET_EXEC, ET_DYN}:
        raise UnsupportedElfError("it is neither a program nor a shared library")
    if header.machine not in PROCESSORS:
        known = " and ".join(map(machine_name, PROCESSORS))
        raise UnsupportedElfError(f"it is for {machine_name(header.machine)}, and only {known} are known")
    if header.phoff != layout.size or header.phentsize != _ENCODING.segment.size:
        raise UnsupportedElfError("its program headers do not follow its header")
    return header


def _without(segment: Segment, hole: Span, page: int) -> Iterator[Segment]:
    """The parts of ``segment`` that remain when the pages are gone which hold nothing but the ``hole``.

    It stays whole where the hole is in another segment, where zeros follow that the file lacks (memsz), as they must
    follow the last byte that it has, and where the hole has no page for itself: a hole in the middle ends with its
    last whole page, so that what follows begins a page, and one at the end may end anywhere.
    """
    page = max(page, segment.align)
    if not _within(hole, segment.span) or segment.memsz != segment.filesz:
        yield segment
        return
    start = hole.start
    stop = hole.stop // page * page if hole.stop < segment.span.stop else hole.stop
    if stop - start <= 0 or (hole.stop < segment.span.stop and _up(start, page) >= stop):
        yield segment
        return
    for span in subtracted([segment.span], [Span(start, stop)]):
        moved = span.start - segment.vaddr
        yield segment._replace(
            offset=segment.offset + moved,
            vaddr=span.start,
            paddr=segment.paddr + moved,
            filesz=span.size,
            memsz=span.size,
        )


def _moved(segment: Segment, loaded: Iterable[Segment]) -> Segment:
    """A header for something that lies in one of those ``loaded``, where it lies now."""
    home = next((each for each in loaded if _within(segment.span, each.span)), None)
    if not segment.filesz:
        return segment._replace(offset=segment.vaddr - home.vaddr + home.offset if home else 0)
    if home is None:
        raise MalformedElfError(f"a segment at {segment.vaddr:#x} isn't loaded as a whole")
    return segment._replace(offset=segment.vaddr - home.vaddr + home.offset)


def _moved_section(section: Section, loaded: Iterable[Segment], dead: list[Span]) -> Section:
    """The row of a section where it lies now; one with nothing in it for what's gone."""
    span = Span.sized(section.addr, section.size)
    home = next((each for each in loaded if each.vaddr <= span.start <= each.vaddr + each.memsz), None)
    if not section.addr or home is None or (span.size and subtracted([span], dead) != [span]):
        return Section(*(0,) * len(Section._fields))
    return section._replace(offset=min(span.start - home.vaddr, home.filesz) + home.offset)


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.stop <= outer.stop


def _up(number: int, unit: int) -> int:
    return -(-number // unit) * unit
