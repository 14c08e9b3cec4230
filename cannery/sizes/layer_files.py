"""The files of a layer, with the part of its compressed blob that each takes.

A compressed stream has no borders between files. What is known is how many compressed bytes had been read when so many
bytes had come out: between two such points, some hundred bytes apart, a file's part is in proportion to its bytes. The
parts of all files are the whole blob, to the byte.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from bisect import bisect_left
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.image.hashing import pieces
from cannery.image.tar import members
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LayerFile", "layer_files"]

_STEP: Final = 1 << 9  # compressed bytes from one known point to the next
_BLOCK: Final = 512  # bytes: what an archive's members begin at multiples of (pax, POSIX.1-2001)
_LARGEST_ARCHIVE: Final = 1 << 29  # bytes of an archive whose members are listed
# The files that say whose others are: of a Python distribution, of a Debian package (dpkg's own data base)
_LISTS: Final = re.compile(r".*/(?:top_level\.txt|RECORD)|/var/lib/dpkg/info/[^/]+\.list")
_LARGEST_LIST: Final = 1 << 24  # bytes


class LayerFile(NamedTuple):
    """A file of a layer, or a member of an archive that lies in it."""

    path: str  # in the image; of a member below the archive's: /usr/local/lib/python311.zip/json/decoder.pyc
    size: int  # bytes in the layer before compression; of a member as the archive has it
    packed: int  # bytes of the blob
    text: str = ""  # of a list of somebody's files


def layer_files(blob: Path, name: str) -> list[LayerFile]:
    """The files of the layer in the file ``blob``, in their order; ``name`` is for messages.

    What belongs to no file, headers and the end of the archive, is counted to the file before or behind it. Raises
    :class:`ImageError` where the blob is no layer, or damaged.
    """
    with explained(blob, "read"), blob.open("rb") as file, undamaged(name, str(blob)):
        counted = _InSteps(file)
        stream = _Measured(unzipped(counted, compression_of(file.peek(8))), counted)
        found = [*_members(stream)]
        while stream.read(1 << 16):  # checksums at the end are compared
            pass
        return [*_in_the_blob(found, stream.points, blob.stat().st_size)]


class _Member(NamedTuple):
    path: str
    size: int
    end: int  # in the archive, with what follows up to the next member
    inner: tuple[tuple[str, int], ...] = ()  # members of an archive that the file is: path in it, bytes
    text: str = ""


class _InSteps(io.RawIOBase):
    """A file that is read in small pieces, and knows how much of it was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.done = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read a piece, which may be shorter than was asked for."""
        data = self._file.read(_STEP if size < 0 else min(size, _STEP))
        self.done += len(data)
        return data

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what io asks for, and typeshed hides
        """Read a piece into ``buffer``."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Measured:
    """A stream that notes, as it's read, how many compressed bytes its bytes have taken."""

    def __init__(self, stream: BinaryIO, counted: _InSteps) -> None:
        self._stream = stream
        self._counted = counted
        self._done = 0
        self.points = [(0, 0)]  # bytes that came out, compressed bytes that were read

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._done += len(data)
        if self._counted.done > self.points[-1][1]:
            self.points.append((self._done, self._counted.done))
        return data


def _members(stream: _Measured) -> Iterator[_Member]:
    for member, content in members(stream):
        path = posixpath.normpath(f"/{member.name.lstrip('/')}")
        size = member.size if content is not None else 0
        end = member.offset_data + size + -size % _BLOCK
        if content is None:
            yield _Member(path, 0, end)
        elif path.endswith(".zip") and size <= _LARGEST_ARCHIVE:
            yield _Member(path, size, end, inner=_listed(_whole(content)))
        elif _LISTS.fullmatch(path) and size <= _LARGEST_LIST:
            yield _Member(path, size, end, text=_whole(content).decode("utf-8", "replace"))
        else:
            yield _Member(path, size, end)


def _whole(content: BinaryIO) -> bytes:
    """All of a member, piece by piece, as it can't be read at once."""
    return b"".join(pieces(content))


def _listed(data: bytes) -> tuple[tuple[str, int], ...]:
    """The members of an archive, and the bytes that each takes in it; none for a file that only has its name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return tuple((each.filename, each.compress_size) for each in archive.infolist() if not each.is_dir())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return ()


def _in_the_blob(found: list[_Member], points: list[tuple[int, int]], size: int) -> Iterator[LayerFile]:
    """What was found, each with its part of a blob of ``size`` bytes."""
    outs = [out for out, _ in points]
    before = 0
    for number, each in enumerate(found, 1):
        upto = size if number == len(found) else _read_at(each.end, outs, points)
        yield from _with_members(each, upto - before)
        before = upto


def _read_at(place: int, outs: list[int], points: list[tuple[int, int]]) -> int:
    """How many compressed bytes the first ``place`` bytes have taken."""
    at = bisect_left(outs, place)
    if at == len(points):
        return points[-1][1]
    (low, first), (high, last) = points[max(at - 1, 0)], points[at]
    return last if high == low else first + (last - first) * (place - low) // (high - low)


def _with_members(each: _Member, packed: int) -> Iterator[LayerFile]:
    """A file, after the members of the archive that it is, which leave it the archive's own table."""
    left, left_packed = each.size, packed
    for name, size in each.inner:
        part = packed * size // each.size if each.size else 0
        yield LayerFile(f"{each.path}/{name}", size, part)
        left, left_packed = left - size, left_packed - part
    yield LayerFile(each.path, max(left, 0), left_packed, each.text)
