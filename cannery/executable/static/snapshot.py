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
from threading import Timer
from typing import TYPE_CHECKING, Final

import msgspec

from cannery.elf.headers import ElfReader, Header, Segment, string_at
from cannery.errors import ToolError
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Snapshot", "StartingPlace", "with_memory"]

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
# What memory doesn't hold, or would tell of the machine where it was made: what a module does while it's imported
_REFUSED: Final = {
    "randomness": "asks for random numbers",
    "clock": "asks for the time",
    "host": "asks for the name of the host",
    "process": "asks for the number of the process",
    "processors": "asks how many processors there are",
    "terminal": "asks whether there's a terminal",
    "variables": "reads all variables",
    "file": "looks at the file {}",
    "list": "lists a folder",
    "open": "leaves a file open",
    "socket": "makes a socket",
    "thread": "starts a thread",
    "program": "starts a program",
    "change": "changes what the process may do, or its folder",
    "map": "maps memory",
    "hash": "has objects that keep a hash ({})",
    "import": "goes on where {} can't be imported, whatever the error",
}
# Modules that do, and whose values are made anew in every process (launcher/snapshot.py)
_MADE_ANEW: Final = {"randomness": {"random", "multiprocessing.process"}, "clock": {"logging"}}
_TEXTS: Final = 5  # that a process writes before its memory
_PATIENCE: Final = 300  # seconds for which modules may be imported
_NO_MEMORY: Final = 3  # the exit code of one that has written these alone
_OFF: Final = "leave out  [tool.cannery.static]  snapshot"
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


def with_memory(linked: Path, modules: Iterable[str], place: StartingPlace, target: Path) -> Snapshot:
    """Write to ``target`` the executable ``linked`` with its memory after it has imported ``modules`` at ``place``.

    Returns what is in it, and what isn't.
    """
    refused: dict[str, str] = {}
    wanted = list(modules)
    with explained(target):
        program = _WithSymbols.read(linked)
        while True:
            run = _run(linked, wanted, refused, place)
            found = dict(_refusals(run.notes))
            if found.keys() <= refused.keys():
                _write(run, program, target)
                found = _lost(target, place)
            if found.keys() <= refused.keys():
                break
            refused |= found
            wanted = list(dict.fromkeys((*run.loaded, *wanted)))
    imported = {name: f"imports {other}" for name, other in run.late.items() if name not in refused}
    return Snapshot(sorted(run.loaded), refused | imported)


def _write(run: _Run, program: _WithSymbols, target: Path) -> None:
    if not run.memory:
        raise _unsound("a module leaves a file open, or a thread running", "it isn't known which module does")
    places, *regions = run.memory
    mended = list(_mended(regions, program, run.number))
    _check(mended, places, program)
    target.write_bytes(_assembled(program, mended))
    target.chmod(0o755)


def _lost(made: Path, place: StartingPlace) -> dict[str, str]:
    """The modules whose objects dictionaries and sets don't find when a process goes on with another hash secret."""
    variables = {**place.environment, "CANNERY_SNAPSHOT": "verify"}
    done = subprocess.run([made], cwd="/", env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.decode(errors="replace") or f"it ended with {done.returncode}"
        raise _unsound("a process does not go on from the memory", said)
    lost = dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())
    if "builtins" in lost:
        raise _unsound("a process doesn't find what dictionaries and sets have", f"keys of the type {lost['builtins']}")
    return {module: f"has keys, of the type {name}, that are not found again" for module, name in lost.items()}


def _unsound(what: str, evidence: str) -> ToolError:
    return ToolError(what, evidence=evidence, step=_OFF)


class Snapshot(msgspec.Struct, frozen=True):
    """What an executable that starts from memory has in it."""

    modules: list[str]  # that are imported there
    late: dict[str, str]  # those that are imported when a process starts, with what they do that memory doesn't hold


@dataclass(frozen=True, slots=True)
class StartingPlace:
    """What a process of the image has around it."""

    environment: Mapping[str, str]
    user: int
    folder: str


@dataclass(frozen=True, slots=True)
class _Run:
    """What a process has written of itself."""

    number: int  # of the process
    notes: list[str]  # who asked for what
    late: Mapping[str, str]  # modules that were to be imported, and the refused ones that they import
    loaded: list[str]
    memory: list[_Region]  # where its stack and the kernel's functions are, and what lies at which address; or nothing


def _refusals(notes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The modules whose memory would tell of the build, or be the same in every process; what each does."""
    for line in notes:
        kind, which, module = line.split("\t")
        if kind not in _REFUSED or module in _MADE_ANEW.get(kind, ()):
            continue
        what = _REFUSED[kind].format(which)
        if not module:
            raise _unsound(f"something {what} while modules are imported", "no module's own code is running then")
        yield module, what


def _run(program: Path, modules: Iterable[str], refused: Iterable[str], place: StartingPlace) -> _Run:
    """Run the program until it has written its memory; raises :class:`ToolError` where it fails."""
    receiving, sending = os.pipe()
    wanted = "\n".join((str(sending), str(place.user), place.folder, ",".join(modules), ",".join(refused)))
    variables = {**place.environment, "TZ": "UTC0", "_CANNERY_PROGRAM": _PROGRAM, "_CANNERY_SNAPSHOT": wanted}
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
    ending = Timer(_PATIENCE, running.kill)
    ending.start()
    with os.fdopen(receiving, "rb") as stream:
        memory = stream.read()
    _, said = running.communicate()
    ending.cancel()
    if running.returncode not in {0, _NO_MEMORY}:
        raise ToolError(
            "the modules of the snapshot could not be imported",
            evidence=said.decode(errors="replace") or f"the program ended with {running.returncode}",
            step=f"mend that, or {_OFF}",
        )
    regions = list(_regions(memory))
    in_c, _, in_python, late, loaded = (each.data.decode().splitlines() for each in regions[:_TEXTS])
    because = dict(line.split(" ") for line in late)
    return _Run(running.pid, in_c + in_python, because, loaded, regions[_TEXTS:])


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
