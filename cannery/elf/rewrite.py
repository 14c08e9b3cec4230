"""An ELF file taken apart as a loader sees it, and put together again without what its segments no longer need.

Addresses stay, so that no code has to change. What lies at them may lie elsewhere in the file: each segment is moved as
far to the front as the size of pages allows, and one is made two where pages in its middle are gone (System V ABI,
chapter 5; elf(5)).
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING

from cannery.elf.headers import MAGIC, Encoding, Header, MalformedElfError, Section
from cannery.elf.spans import Span, merged, subtracted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.elf.sections import SectionTable

__all__ = ["PF_W", "PT_GNU_EH_FRAME", "LoadedElf", "Segment"]

PT_GNU_EH_FRAME = 0x6474E550
PF_W = 2
_PT_LOAD, _PT_DYNAMIC, _PT_NOTE = 1, 2, 4
_ET_EXEC, _ET_DYN = 2, 3
_PAGE = {62: 4096, 183: 4096}  # bytes, the smallest that x86-64 and AArch64 have, by e_machine
_ENCODING = Encoding(is_64=True, little_endian=True)
_SEGMENT = struct.Struct("<IIQQQQQQ")
_NOTE = struct.Struct("<III")
_NT_GNU_BUILD_ID = 3
_ALIGNMENT = 8  # of the section header table


@dataclass(frozen=True, slots=True)
class Segment:
    """What a loader does with a range of the file (``Elf64_Phdr``)."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int

    @property
    def span(self) -> Span:
        """The addresses that the file has bytes for."""
        return Span.sized(self.vaddr, self.filesz)


@dataclass
class LoadedElf:
    """A program or shared library in memory, whose bytes are read and written by their addresses."""

    data: bytearray
    header: Header
    segments: list[Segment]
    dynamic: list[tuple[int, int]]  # tags and values
    _dead: list[Span] = field(default_factory=list)

    @classmethod
    def read(cls, data: bytes) -> LoadedElf | None:
        """What a dynamically linked file of 64 bits for x86-64 or AArch64 holds; None for any other.

        Raises :class:`MalformedElfError` for a file that points outside itself.
        """
        layout = _ENCODING.header
        if data[:6] != MAGIC + b"\x02\x01" or len(data) < layout.size:  # ELFCLASS64, ELFDATA2LSB
            return None
        header = Header._make(layout.unpack_from(data))
        if header.type not in {_ET_EXEC, _ET_DYN} or header.machine not in _PAGE:
            return None
        if header.phoff != layout.size or header.phentsize != _SEGMENT.size:
            return None
        rows = data[header.phoff : header.phoff + header.phnum * header.phentsize]
        if len(rows) != header.phnum * header.phentsize:
            raise MalformedElfError("its program headers lie outside the file")
        segments = [Segment(*row) for row in _SEGMENT.iter_unpack(rows)]
        if any(each.offset + each.filesz > len(data) for each in segments):
            raise MalformedElfError("a segment lies outside the file")
        place = next((each for each in segments if each.type == _PT_DYNAMIC), None)
        first = next((each for each in segments if each.type == _PT_LOAD), None)
        if place is None or first is None or first.offset or first.filesz < header.phoff + len(rows):
            return None
        return cls(bytearray(data), header, segments, list(_entries(data, place)))

    def loaded(self) -> Iterator[Segment]:
        """What is mapped into memory."""
        return (each for each in self.segments if each.type == _PT_LOAD)

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
        place = next(each for each in self.segments if each.type == _PT_DYNAMIC)
        return place.filesz // _ENCODING.dynamic.size - 1 - len(self.dynamic)

    def segment_of(self, span: Span) -> Segment | None:
        """The segment that has the bytes for all addresses of ``span``."""
        return next((each for each in self.loaded() if _within(span, each.span)), None)

    def at(self, span: Span) -> bytes:
        """The bytes at the addresses of ``span``."""
        start = self._offset(span)
        return bytes(self.data[start : start + span.size])

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
        moved = [replace(part, offset=place) for part, place in zip(parts, _places(parts), strict=True)]
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
        place = next(each for each in self.segments if each.type == _PT_DYNAMIC)
        data = b"".join(_ENCODING.dynamic.pack(*entry) for entry in self.dynamic)
        self.data[place.offset : place.offset + place.filesz] = data.ljust(place.filesz, b"\0")

    def _write_segments(self, result: bytearray, moved: list[Segment]) -> Header:
        """Write the program headers, and return the file's own with no sections."""
        others = [_moved(each, moved) for each in self._others()]
        first = next(number for number, each in enumerate(self.segments) if each.type == _PT_LOAD)
        before = sum(each in self.segments[:first] for each in self._others())
        rows = [*others[:before], *moved, *others[before:]]
        start = _ENCODING.header.size
        room = self.header.phnum * _SEGMENT.size
        data = b"".join(_SEGMENT.pack(*astuple(row)) for row in rows)
        result[start : start + room] = data.ljust(room, b"\0")
        return self.header._replace(phnum=len(rows), shoff=0, shnum=0, shstrndx=0)

    def _others(self) -> list[Segment]:
        """The program headers that map nothing by themselves, without those for what's gone."""
        return [
            each
            for each in self.segments
            if each.type != _PT_LOAD
            and not (each.type == PT_GNU_EH_FRAME and any(_within(each.span, span) for span in self._dead))
            and not (each.type == _PT_NOTE and self._is_build_id(each))
        ]

    def _is_build_id(self, segment: Segment) -> bool:
        """Whether a note only tells a debugger which file this is."""
        data = self.data[segment.offset : segment.offset + segment.filesz]
        if len(data) < _NOTE.size:
            return False
        name, description, kind = _NOTE.unpack_from(data)
        only = _NOTE.size + -(-name // 4) * 4 + -(-description // 4) * 4
        return kind == _NT_GNU_BUILD_ID and bytes(data[_NOTE.size :][:name]) == b"GNU\0" and only == len(data)

    def _parts(self) -> list[Segment]:
        """The segments that are mapped, in as many parts as there is room for headers."""
        room = self.header.phnum - len(self._others())
        holes = sorted(self._dead, key=lambda span: span.size, reverse=True)
        parts = list(self.loaded())
        for hole in holes:
            split = [part for segment in parts for part in _without(segment, hole, _PAGE[self.header.machine])]
            parts = split if len(split) <= room else parts
        return parts


def _entries(data: bytes, place: Segment) -> Iterator[tuple[int, int]]:
    layout = _ENCODING.dynamic
    whole = place.filesz - place.filesz % layout.size
    for tag, value in layout.iter_unpack(data[place.offset : place.offset + whole]):
        if not tag:
            return
        yield tag, value


def _without(segment: Segment, hole: Span, page: int) -> Iterator[Segment]:
    """What remains of ``segment`` when the pages are gone that hold nothing but the ``hole``."""
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
        yield replace(
            segment,
            offset=segment.offset + moved,
            vaddr=span.start,
            paddr=segment.paddr + moved,
            filesz=span.size,
            memsz=span.size,
        )


def _places(parts: Iterable[Segment]) -> Iterator[int]:
    """Where in the file the segments are to lie: as far to the front as their addresses within a page allow."""
    end = 0
    for part in parts:
        place = end + (part.vaddr - end) % max(part.align, 1)
        yield place
        end = place + part.filesz if part.filesz else end


def _moved(segment: Segment, loaded: Iterable[Segment]) -> Segment:
    """A header for something that lies in one of those ``loaded``, where it lies now."""
    home = next((each for each in loaded if _within(segment.span, each.span)), None)
    if not segment.filesz:
        return replace(segment, offset=segment.vaddr - home.vaddr + home.offset if home else 0)
    if home is None:
        raise MalformedElfError(f"a segment at {segment.vaddr:#x} isn't loaded as a whole")
    return replace(segment, offset=segment.vaddr - home.vaddr + home.offset)


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
