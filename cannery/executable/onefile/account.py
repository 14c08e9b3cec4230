"""The compressed size of each part of a static program; the sum of all is the program's size, to the byte.

A part's share is the number of bytes that the decompressor reads between the part's first byte and its last. Of two
parts that are alike the first pays for both.
"""

from __future__ import annotations

import io
import lzma
import marshal
import struct
import tarfile
import tempfile
import zipfile
from array import array
from bisect import bisect_left
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.executable.onefile.staticx import SECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cannery.executable.onefile.tools import Tools
    from cannery.workspace.process import Runner

__all__ = ["MODULES", "Share", "account"]

MODULES: Final = "modules"
_STEP: Final = 8  # bytes that the decompressor is given at a time: shares are as exact as that
_BASE_LIBRARY: Final = "base_library.zip"
_PYZ: Final = b"PYZ\0"  # the magic of PyInstaller's archive of modules
_LOCAL_HEADER: Final = 30  # of a member of a zip file, before its name


class Share(NamedTuple):
    """A part of a program: a file, all the modules of one top-level name, or what holds the others together."""

    name: str
    kind: str | None  # None where it's a file of that name
    size: int  # bytes, unpacked
    packed: int  # bytes of the program


class _Piece(NamedTuple):
    """A stretch of the unpacked archive, from the offset ``begin`` to ``end``."""

    name: str
    kind: str | None
    begin: int
    end: int


def account(program: Path, tools: Tools, run: Runner) -> list[Share]:
    """The shares of ``program``, the largest first; the sum of their ``packed`` is its size."""
    with tempfile.TemporaryDirectory(prefix="cannery-") as folder:
        section = Path(folder) / "archive"
        run([tools.objcopy, f"--dump-section={SECTION}={section}", str(program), str(Path(folder) / "copy")])
        archive = section.read_bytes()
    content, read_at = _unpacked(archive)
    sizes: Counter[tuple[str, str | None]] = Counter()
    packed: Counter[tuple[str, str | None]] = Counter()
    for piece in _pieces(content):
        sizes[piece.name, piece.kind] += piece.end - piece.begin
        packed[piece.name, piece.kind] += read_at(piece.end) - read_at(piece.begin)
    bootloader = ("staticx's bootloader", "program")
    sizes[bootloader] = packed[bootloader] = program.stat().st_size - len(archive)
    rest = ("the archive's own headers", "archive")
    sizes[rest] += len(content) + sizes[bootloader] - sizes.total()
    packed[rest] += program.stat().st_size - packed.total()
    shares = [Share(name, kind, size, packed[name, kind]) for (name, kind), size in sizes.items()]
    return sorted(shares, key=lambda share: (-share.packed, -share.size, share.name))


def _unpacked(archive: bytes) -> tuple[bytes, Callable[[int], int]]:
    """The unpacked archive, and a function from an offset in it to the number of packed bytes that are read by then."""
    if not archive.startswith(b"\xfd7zXZ"):
        return archive, lambda position: position
    decompressor, positions, parts = lzma.LZMADecompressor(lzma.FORMAT_XZ), array("Q"), []
    done = 0
    for start in range(0, len(archive), _STEP):
        parts.append(decompressor.decompress(archive[start : start + _STEP]))
        done += len(parts[-1])
        positions.append(done)
        if decompressor.eof:
            break
    return b"".join(parts), lambda position: min((bisect_left(positions, position) + 1) * _STEP, len(archive))


def _pieces(content: bytes) -> Iterator[_Piece]:
    """The members of the archive, and of the archives in it, in their order, less the headers between them."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            begin, end = member.offset_data, member.offset_data + member.size
            name = member.name.rpartition("/")[2]
            if not member.isfile():
                continue
            if name == _BASE_LIBRARY:
                yield from _between(name, None, begin, end, _zipped(content[begin:end]))
            elif (start := _start_of_modules(content[begin:end])) is not None:
                yield from _between(
                    "PyInstaller's bootloader", "program", begin, end, _modules(content[begin:end], start)
                )
            else:
                yield _Piece(name, None, begin, end)


def _between(name: str, kind: str | None, begin: int, end: int, pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """The ``pieces``, whose offsets count from ``begin``; what lies between them belongs to ``name``."""
    last = begin
    for piece in sorted(pieces, key=lambda piece: piece.begin):
        yield _Piece(name, kind, last, begin + piece.begin)
        yield piece._replace(begin=begin + piece.begin, end=begin + piece.end)
        last = begin + piece.end
    yield _Piece(name, kind, last, end)


def _zipped(content: bytes) -> Iterator[_Piece]:
    """The modules in a zip file, under their top-level names."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            lengths = struct.unpack_from("<HH", content, entry.header_offset + _LOCAL_HEADER - 4)
            begin = entry.header_offset + _LOCAL_HEADER + sum(lengths)
            top = entry.filename.partition("/")[0].partition(".")[0]
            yield _Piece(top, MODULES, begin, begin + entry.compress_size)


def _start_of_modules(content: bytes) -> int | None:
    """The offset of PyInstaller's archive of modules (PYZ) in its executable; None in any other file."""
    start = content.find(_PYZ)
    while start >= 0 and not _table(content, start):
        start = content.find(_PYZ, start + 1)
    return None if start < 0 else start


def _table(content: bytes, start: int) -> list[tuple[str, tuple[int, int, int]]]:
    """The table of the archive at ``start``: modules with type, offset and length; empty where that is no archive."""
    _, position = struct.unpack_from("!4si", content, start + len(_PYZ))
    try:
        table = marshal.loads(content[start + position :]) if 0 < position < len(content) - start else []  # noqa: S302
    except (EOFError, TypeError, ValueError):  # it's no archive
        return []
    return table if isinstance(table, list) else []


def _modules(content: bytes, start: int) -> Iterator[_Piece]:
    for name, (_, begin, length) in _table(content, start):
        yield _Piece(name.partition(".")[0], MODULES, start + begin, start + begin + length)
