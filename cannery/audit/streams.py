"""Archives read from their first byte to their last, compressed or not, and nothing believed that they say."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from cannery.errors import ImageError
from cannery.image.zstd import ZstdReader

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["buffered", "explained", "members", "unzipped"]

_UNREADABLE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, UnicodeError)

_CHUNK = 1 << 18  # bytes
_LONGEST_HEADER = 1 << 20  # bytes: names and attributes; a longer one is an attack
_ZSTD = b"\x28\xb5\x2f\xfd"


class _Forward(io.RawIOBase):
    """A stream that can't go back, dressed as one that tarfile seeks in: it only ever seeks forward."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._at = 0
        self.last_block = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """How many bytes were read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Read up to ``offset``."""
        if whence != io.SEEK_SET or offset < self._at:
            raise tarfile.ReadError(f"a member lies before byte {self._at}")
        while self._at < offset and (data := self._stream.read(min(_CHUNK, offset - self._at))):
            self._at += len(data)
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """Read ``size`` bytes, or fewer at the end."""
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        parts = []
        left = size
        while left and (data := self._stream.read(left)):
            parts.append(data)
            left -= len(data)
        data = b"".join(parts)
        self._at += len(data)
        if size == tarfile.BLOCKSIZE:
            self.last_block = data
        return data


def members(stream: BinaryIO) -> Iterator[tuple[tarfile.TarInfo, BinaryIO | None]]:
    """The members of a tar archive in their order, each with its content where it is a file.

    Raises :class:`tarfile.TarError` for an archive that stops before its end.
    """
    forward = _Forward(stream)
    with tarfile.TarFile(fileobj=cast("BinaryIO", forward), mode="r") as archive:
        while (member := archive.next()) is not None:
            yield member, _content(archive, member)
            archive.members.clear()  # type: ignore[attr-defined]  # or it would remember every one
    if any(forward.last_block) or 0 < len(forward.last_block) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError(f"what follows byte {forward.tell()} is no member of an archive")


def unzipped(stream: io.BufferedReader) -> BinaryIO:
    """What ``stream`` holds, by its first bytes; as it is where they're no compression's.

    Raises :class:`ToolError` for zstd where nothing can read that.
    """
    magic = stream.peek(8)
    if magic.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    if magic.startswith(_ZSTD):
        return cast("BinaryIO", ZstdReader(cast("BinaryIO", stream)))
    if magic.startswith(b"BZh"):
        return cast("BinaryIO", bz2.BZ2File(stream))
    if magic.startswith(b"\xfd7zXZ\x00"):
        return cast("BinaryIO", lzma.LZMAFile(stream))
    return stream


def buffered(stream: BinaryIO) -> io.BufferedReader:
    """``stream`` with a buffer, so that its first bytes can be looked at."""
    return io.BufferedReader(cast("io.RawIOBase", _Raw(stream)), _CHUNK)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what an unreadable archive raises into one :class:`ImageError` that names it."""
    try:
        yield
    except _UNREADABLE as error:
        raise ImageError(
            f"{what} can't be read", evidence=str(error) or type(error).__name__, step="fetch or build it again"
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise ImageError(f"{what} can't be read", evidence=str(error), step="fetch or build it again") from error


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO | None:
    if not member.isreg():
        return None
    return cast("BinaryIO", archive.extractfile(member))


class _Raw(io.RawIOBase):
    """A stream with ``read`` alone, as a raw stream that buffers can be put on."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(cast("bytearray", buffer))
        data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)
