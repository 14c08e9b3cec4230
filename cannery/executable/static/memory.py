"""The file of an executable that starts from memory: as it was linked, with what a process of it has written.

Memory becomes segments at its addresses, which the kernel maps. What is each process's own is as it was linked.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.elf.headers import ElfReader, Header, Segment, string_at
from cannery.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["NOWHERE", "OFF", "LinkedProgram", "MemoryRegion", "file_with", "regions_of"]

OFF: Final = "leave out  [tool.cannery.static]  snapshot"
_PAGE: Final = 4096
_ORIGINAL_AT: Final = 0x1F_0000_0000  # where the program's variables lie as they were linked
_MARK: Final = 0x43414E4E45525921  # of cannery_original in start.c
_PT_LOAD, _PT_PHDR, _PT_TLS, _PT_STACK = 1, 6, 7, 0x6474E551
_READ, _WRITE = 4, 2
_SYMTAB: Final = 2
_MOST_GAPS: Final = 55  # of zeros, that the file need not have: kernels may want all headers to be in one page
_SYMBOL = struct.Struct("<IBBHQQ")
# Variables that have to be as they were linked when a process goes on: where in what, and their size
_AS_LINKED: Final = {"OPENSSL_cpuid_setup.trigger": (0, 4), "vdso_func": (0, 8), "__libc": (8, 8)}
NOWHERE: Final = b"cannery-nowhere"  # as modules learn what the machine is called (notes.c)
_STACK: Final = 1 << 23  # bytes that the stack may have


@dataclass(frozen=True, slots=True)
class MemoryRegion:
    """Memory at an address."""

    address: int
    data: bytes


class _MappedPart(NamedTuple):
    """A part of the memory of a program, with what the file has of it."""

    address: int
    data: bytes
    size: int  # in memory: what the file lacks is zero
    flags: int


@dataclass(frozen=True)
class LinkedProgram:
    """An executable with symbols."""

    data: bytes
    header: Header
    segments: list[Segment]
    symbols: Mapping[str, int]  # the address of each

    @classmethod
    def read(cls, path: Path) -> LinkedProgram:
        """The executable in the file ``path``."""
        data = path.read_bytes()
        with path.open("rb") as stream:
            reader = ElfReader(stream, len(data))
            return cls(data, reader.header, reader.segments(), dict(_symbols(reader)))

    def variables(self) -> list[Segment]:
        """The segments of variables."""
        return [each for each in self.segments if each.type == _PT_LOAD and each.flags & _WRITE]

    def symbol_at(self, address: int) -> str:
        """The address, and the name of what lies there."""
        before = [(value, name) for name, value in self.symbols.items() if value <= address]
        return f"{address:#x} ({max(before)[1]})" if before else f"{address:#x}"

    def content(self, segment: Segment) -> bytes:
        """What the file has of a segment."""
        return self.data[segment.offset : segment.offset + segment.filesz]


def file_with(program: LinkedProgram, regions: Iterable[MemoryRegion], places: MemoryRegion) -> bytes:
    """The file of ``program`` with what a process has written.

    Raises :class:`ToolError` where that refers to what no other process has: its stack, or the kernel's functions, the
    addresses of which ``places`` has, and where the memory tells on which machine it was made.
    """
    stack, kernel = struct.unpack("<QQ", places.data)
    mended = list(_mended(regions, program))
    _check(mended, stack, kernel, program)
    _check_nowhere(mended, program)
    return _assembled(program, mended)


def regions_of(memory: bytes) -> Iterator[MemoryRegion]:
    """The regions that a process has written one after another, each behind its address and its size."""
    at = 0
    while at < len(memory):
        address, size = struct.unpack_from("<QQ", memory, at)
        yield MemoryRegion(address, memory[at + 16 : at + 16 + size])
        at += 16 + size


def _mended(regions: Iterable[MemoryRegion], program: LinkedProgram) -> Iterator[MemoryRegion]:
    """The regions, with those variables as they were linked that are each process's own."""
    linked = {each.vaddr: program.content(each).ljust(each.memsz, b"\0") for each in program.variables()}
    for region in regions:
        data = bytearray(region.data)
        if region.address in linked:
            for name, (offset, size) in _AS_LINKED.items():
                start = program.symbols.get(name, 0) + offset - region.address
                if 0 <= start < len(data):
                    data[start : start + size] = linked[region.address][start : start + size]
        yield MemoryRegion(region.address, bytes(data))


def _check_nowhere(regions: Iterable[MemoryRegion], program: LinkedProgram) -> None:
    """Raise :class:`ToolError` where memory has what every question for the host was answered with."""
    for region in regions:
        if (at := region.data.find(NOWHERE)) >= 0:
            where = program.symbol_at(region.address + at)
            raise ToolError("memory has the name of the host", evidence=f"it's at {where}", step=OFF)


def _check(regions: Iterable[MemoryRegion], stack: int, kernel: int, program: LinkedProgram) -> None:
    """Raise :class:`ToolError` where a word refers to what a process has not: the stack, or the kernel's functions."""
    for region in regions:
        for index, (word,) in enumerate(struct.iter_unpack("<Q", region.data)):
            if stack - _STACK < word < stack + _STACK or (kernel and kernel <= word < kernel + 4 * _PAGE):
                where = program.symbol_at(region.address + 8 * index)
                raise ToolError("memory refers to what no other process has", evidence=f"{where}: {word:#x}", step=OFF)


def _symbols(reader: ElfReader) -> Iterator[tuple[str, int]]:
    sections = reader.sections()
    for section in sections:
        if section.type == _SYMTAB:
            strings = sections[section.link]
            names = reader.at(strings.offset, strings.size)
            for name, _, _, _, value, _ in _SYMBOL.iter_unpack(reader.at(section.offset, section.size)):
                yield string_at(names, name).decode(), value


def _assembled(program: LinkedProgram, regions: list[MemoryRegion]) -> bytes:
    """The file: code and constants as they were linked, variables and the heap as they are."""
    variables = {each.vaddr: each for each in program.variables()}
    parts: list[_MappedPart] = []
    originals, heap, source = [], (0, 0), _ORIGINAL_AT
    whole = {region.address: _in_pages(region) for region in regions}
    longest = sorted(gap for start, data in whole.values() for gap in _gaps(start, data))[-_MOST_GAPS:]
    gaps = sorted(longest, key=lambda gap: gap[1])
    for region in regions:
        parts += _without_gaps(*whole[region.address], gaps)
        segment = variables.get(region.address)
        if segment is None:
            begin = heap[0] or region.address
            heap = (begin, region.address + len(region.data) - begin)
        else:
            content = program.content(segment)
            parts.append(_MappedPart(source, content, len(content), _READ))
            originals.append((segment.vaddr, source, len(content), segment.memsz))
            source += -(-len(content) // _PAGE) * _PAGE
    original = struct.pack("<3Q", 0, *heap) + b"".join(struct.pack("<4Q", *each) for each in originals)
    for segment in program.segments:
        if segment.type == _PT_LOAD and not segment.flags & _WRITE:
            before = segment.vaddr % _PAGE
            data = program.data[segment.offset - before : segment.offset + segment.filesz]
            parts.append(
                _MappedPart(segment.vaddr - before, _filled(data, original), segment.memsz + before, segment.flags)
            )
    return _file(program, sorted(parts))


def _in_pages(region: MemoryRegion) -> tuple[int, bytes]:
    """The address of the page where a region begins, and what is in its pages."""
    start = region.address & -_PAGE
    data = bytes(region.address - start) + region.data
    return start, data + bytes(-len(data) % _PAGE)


def _gaps(start: int, data: bytes) -> Iterator[tuple[int, int, int]]:
    """Where zeros are in memory, in whole pages: how many bytes, and the addresses from and to."""
    begin = None
    for at in range(0, len(data) + 1, _PAGE):
        is_empty = at < len(data) and not any(data[at : at + _PAGE])
        if is_empty and begin is None:
            begin = at
        elif not is_empty and begin is not None:
            yield at - begin, start + begin, start + at
            begin = None


def _without_gaps(start: int, data: bytes, gaps: Iterable[tuple[int, int, int]]) -> Iterator[_MappedPart]:
    """The parts of memory that the file has: the kernel makes the ``gaps``."""
    at, end = start, start + len(data)
    for _, begin, after in [*(each for each in gaps if start <= each[1] < end), (0, end, end)]:
        if at < after:
            yield _MappedPart(at, data[at - start : begin - start], after - at, _READ | _WRITE)
        at = after


def _filled(data: bytes, original: bytes) -> bytes:
    mark = struct.pack("<Q", _MARK) + bytes(16 + 4 * 32)
    at = data.find(mark)
    return data if at < 0 else data[:at] + original + data[at + len(original) :]


def _file(program: LinkedProgram, parts: list[_MappedPart]) -> bytes:
    others = [each for each in program.segments if each.type in (_PT_TLS, _PT_STACK)]
    count = 2 + len(parts) + len(others)
    head = 64 + 56 * count
    room = -(-head // _PAGE) * _PAGE
    first = parts[0][0] - room
    table = [Segment(_PT_PHDR, _READ, 64, first + 64, first + 64, 56 * count, 56 * count, 8)]
    table.append(Segment(_PT_LOAD, _READ, 0, first, first, head, head, _PAGE))
    body = bytearray()
    for address, data, memory, flags in parts:
        place = room + len(body)
        table.append(Segment(_PT_LOAD, flags, place if data else 0, address, address, len(data), memory, _PAGE))
        body += data + bytes(-len(data) % _PAGE)
    table += [each._replace(offset=0) for each in others]
    header = program.header._replace(
        entry=program.symbols["cannery_start"], phoff=64, phnum=count, shoff=0, shnum=0, shstrndx=0, shentsize=0
    )
    packed = struct.pack("<16sHHIQQQIHHHHHH", *header) + b"".join(struct.pack("<IIQQQQQQ", *each) for each in table)
    return packed + bytes(room - head) + bytes(body)
