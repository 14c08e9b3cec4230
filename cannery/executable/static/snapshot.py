"""An executable that starts from memory: one that was linked is run once, and what it has in memory then goes into it.

What runs is the executable itself. It imports modules, writes its memory to a pipe, and ends; here that becomes
segments of the file, which the kernel maps where they were. A second entry point, before the C library's, chooses
whether a process goes on from there or starts as any.
"""

from __future__ import annotations

import os
import struct
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.elf.headers import ElfReader, Header, Segment, string_at
from cannery.errors import ToolError
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Late", "with_memory"]

_PAGE: Final = 4096
_PROGRAM: Final = "/usr/local/bin/program"  # the path that it has while it's made, wherever that is
_ORIGINAL_AT: Final = 0x1F_0000_0000  # where the program's variables lie as they were linked
_MARK: Final = 0x43414E4E45525921  # of cannery_original in start.c
_PT_LOAD, _PT_PHDR, _PT_TLS, _PT_STACK = 1, 6, 7, 0x6474E551
_READ, _WRITE = 4, 2
_SYMTAB: Final = 2
_LONG_GAP: Final = 16 * _PAGE  # of zeros, that the file need not have
_SYMBOL = struct.Struct("<IBBHQQ")
# Variables that have to be as they were linked when a process goes on: where in what, and their size
_AS_LINKED: Final = {"OPENSSL_cpuid_setup.trigger": (0, 4), "vdso_func": (0, 8), "__libc": (8, 8)}
_THREAD: Final = ("builtin_tls", 512)  # that of the first thread, which begins anew, and holds its number
# What a module may not ask for while it's imported
_REFUSED: Final = {
    "randomness": "random numbers",
    "clock": "the time",
    "host": "the name of the host",
    "process": "the number of the process",
}
# Modules that do, and whose values are made anew in every process (launcher/snapshot.py)
_MADE_ANEW: Final = {"randomness": {"random", "multiprocessing.process"}, "clock": {"logging"}}
_STACK: Final = 1 << 23  # bytes that the stack may have


@dataclass(frozen=True, slots=True)
class _Region:
    """Memory at an address."""

    address: int
    data: bytes


@dataclass(frozen=True)
class _WithSymbols:
    """An executable with symbols."""

    data: bytes
    header: Header
    segments: list[Segment]
    symbols: Mapping[str, int]  # the address of each

    @classmethod
    def read(cls, path: Path) -> _WithSymbols:
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


def with_memory(linked: Path, modules: Iterable[str], environment: Mapping[str, str], target: Path) -> Late:
    """Write to ``target`` the executable ``linked`` with its memory after it has imported ``modules``.

    Returns the modules that are imported when a process starts, as it needs something there, and what that is.
    """
    refused: dict[str, str] = {}
    wanted = list(modules)
    with explained(target):
        program = _WithSymbols.read(linked)
        while True:
            number, memory = _run(linked, wanted, refused, environment)
            notes, asked, late, loaded, places, *regions = _regions(memory)
            if b"*" in asked.data.split():
                raise ToolError(
                    "a module reads all variables while it's imported, and they are others at each start",
                    step="import it later, or leave out  [tool.cannery.static]  snapshot",
                )
            found = dict(_refusals(notes.data.decode()))
            if found.keys() <= refused.keys():
                break
            refused |= found
            wanted = list(dict.fromkeys((*loaded.data.decode().splitlines(), *wanted)))
        mended = list(_mended(regions, program, number))
        _check(mended, places, program)
        target.write_bytes(_assembled(program, mended))
        target.chmod(0o755)
    because = dict(line.split(" ") for line in late.data.decode().splitlines())
    return Late(refused, because)


@dataclass(frozen=True, slots=True)
class Late:
    """The modules that are imported when a process starts, and not before."""

    refused: Mapping[str, str]  # with what they ask for
    because: Mapping[str, str]  # those that import one of the others, and which


def _refusals(notes: str) -> Iterator[tuple[str, str]]:
    """The modules whose memory would tell of the build, or be the same in every process; what each asks for."""
    for line in notes.splitlines():
        kind, _, module = line.split("\t")
        if kind in _REFUSED and module not in _MADE_ANEW.get(kind, ()):
            yield module, _REFUSED[kind]


def _run(
    program: Path, modules: Iterable[str], refused: Iterable[str], environment: Mapping[str, str]
) -> tuple[int, bytes]:
    """The number of the process, and what it writes of its memory; raises :class:`ToolError` where it fails."""
    receiving, sending = os.pipe()
    wanted = f"{sending}:{','.join(modules)}:{','.join(refused)}"
    variables = {**environment, "TZ": "UTC0", "_CANNERY_PROGRAM": _PROGRAM, "_CANNERY_SNAPSHOT": wanted}
    running = subprocess.Popen(  # noqa: S603  # it was linked a moment ago
        [_PROGRAM],
        executable=str(program),
        cwd="/",
        env=variables,
        pass_fds=[sending],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    os.close(sending)
    with os.fdopen(receiving, "rb") as stream:
        memory = stream.read()
    _, said = running.communicate()
    if running.returncode:
        raise ToolError(
            "the modules of the snapshot could not be imported",
            evidence=said.decode(errors="replace"),
            step="mend that, or leave out  [tool.cannery.static]  snapshot",
        )
    return running.pid, memory


def _regions(memory: bytes) -> Iterator[_Region]:
    at = 0
    while at < len(memory):
        address, size = struct.unpack_from("<QQ", memory, at)
        yield _Region(address, memory[at + 16 : at + 16 + size])
        at += 16 + size


def _mended(regions: Iterable[_Region], program: _WithSymbols, number: int) -> Iterator[_Region]:
    """The regions, with those variables as they were linked that are each process's own."""
    linked = {each.vaddr: program.content(each).ljust(each.memsz, b"\0") for each in program.variables()}
    for region in regions:
        data = bytearray(region.data)
        if region.address in linked:
            for name, (offset, size) in _AS_LINKED.items():
                start = program.symbols.get(name, 0) + offset - region.address
                if 0 <= start < len(data):
                    data[start : start + size] = linked[region.address][start : start + size]
            start = program.symbols[_THREAD[0]] - region.address
            if 0 <= start < len(data):
                thread = data[start : start + _THREAD[1]]
                data[start : start + _THREAD[1]] = thread.replace(struct.pack("<I", number), bytes(4))
        yield _Region(region.address, bytes(data))


def _check(regions: Iterable[_Region], places: _Region, program: _WithSymbols) -> None:
    """Raise :class:`ToolError` where a word refers to what a process has not: the stack, or the kernel's functions."""
    stack, kernel = struct.unpack("<QQ", places.data)
    for region in regions:
        for index, (word,) in enumerate(struct.iter_unpack("<Q", region.data)):
            if stack - _STACK < word < stack + _STACK or (kernel and kernel <= word < kernel + 4 * _PAGE):
                address = region.address + 8 * index
                what = max(
                    ((value, name) for name, value in program.symbols.items() if value <= address), default=(0, "")
                )
                raise ToolError("memory refers to a process's own", evidence=f"{address:#x} ({what[1]}): {word:#x}")


def _symbols(reader: ElfReader) -> Iterator[tuple[str, int]]:
    sections = reader.sections()
    for section in sections:
        if section.type == _SYMTAB:
            strings = sections[section.link]
            names = reader.at(strings.offset, strings.size)
            for name, _, _, _, value, _ in _SYMBOL.iter_unpack(reader.at(section.offset, section.size)):
                yield string_at(names, name).decode(), value


def _assembled(program: _WithSymbols, regions: Iterable[_Region]) -> bytes:
    """The file: code and constants as they were linked, variables and the heap as they are."""
    variables = {each.vaddr: each for each in program.variables()}
    parts: list[tuple[int, bytes, int, int]] = []
    originals, heap, source = [], (0, 0), _ORIGINAL_AT
    for region in regions:
        start = region.address & -_PAGE
        data = bytes(region.address - start) + region.data
        parts += _without_gaps(start, data + bytes(-len(data) % _PAGE))
        segment = variables.get(region.address)
        if segment is None:
            heap = (region.address, len(region.data))
        else:
            content = program.content(segment)
            parts.append((source, content, len(content), _READ))
            originals.append((segment.vaddr, source, len(content), segment.memsz))
            source += -(-len(content) // _PAGE) * _PAGE
    original = struct.pack("<3Q", 0, *heap) + b"".join(struct.pack("<4Q", *each) for each in originals)
    for segment in program.segments:
        if segment.type == _PT_LOAD and not segment.flags & _WRITE:
            before = segment.vaddr % _PAGE
            data = program.data[segment.offset - before : segment.offset + segment.filesz]
            parts.append((segment.vaddr - before, _filled(data, original), segment.memsz + before, segment.flags))
    return _file(program, sorted(parts))


def _without_gaps(start: int, data: bytes) -> Iterator[tuple[int, bytes, int, int]]:
    """The parts of memory that the file has: where many zeros follow, the kernel makes them."""
    at = 0
    while at < len(data):
        gap = data.find(bytes(_LONG_GAP), at)
        end = len(data) if gap < 0 else -(-gap // _PAGE) * _PAGE
        following = end
        while following < len(data) and not any(data[following : following + _PAGE]):
            following += _PAGE
        yield start + at, data[at:end], following - at, _READ | _WRITE
        at = following


def _filled(data: bytes, original: bytes) -> bytes:
    mark = struct.pack("<Q", _MARK) + bytes(16 + 4 * 32)
    at = data.find(mark)
    return data if at < 0 else data[:at] + original + data[at + len(original) :]


def _file(program: _WithSymbols, parts: list[tuple[int, bytes, int, int]]) -> bytes:
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
