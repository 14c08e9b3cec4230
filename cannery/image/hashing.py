"""Streams that know the digest and the size of what has passed through them."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Final, Protocol, cast

from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHUNK", "HashingReader", "HashingWriter", "RawReader", "Readable", "Sink", "buffered", "pieces"]

CHUNK: Final = 1 << 18  # bytes that are read at a time


class Sink(Protocol):
    """Takes bytes: a file, a socket, another writer."""

    def write(self, data: bytes | bytearray | memoryview, /) -> object:
        """Take all of ``data``."""
        ...


class Readable(Protocol):
    """Gives bytes: a file, the body of an answer, another reader."""

    def read(self, size: int = -1, /) -> bytes | None:
        """Give up to ``size`` bytes, or all where that is negative; none at the end."""
        ...


class HashingWriter:
    """Passes what it is given on to ``sink``, and knows its digest and its size."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self.size = 0  # bytes

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Hash ``data`` and pass it on; return the number of its bytes."""
        length = memoryview(data).nbytes
        self._hash.update(data)
        self._sink.write(data)
        self.size += length
        return length

    @property
    def digest(self) -> Digest:
        """The digest of everything written so far."""
        return Digest(self._hash.hexdigest())


class RawReader(io.RawIOBase):
    """A raw stream over ``stream``, of which only ``read`` is called: one that may be given a buffer."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read as ``stream`` does."""
        return self._stream.read(size) or b""

    def readinto(self, buffer: object, /) -> int:
        """Fill ``buffer``; return the number of bytes that came."""
        view = memoryview(cast("bytearray", buffer))
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)


class HashingReader(RawReader):
    """Reads from ``stream``, and knows the digest and the size of what was read."""

    def __init__(self, stream: Readable) -> None:
        super().__init__(stream)
        self._hash = hashlib.sha256()
        self.size = 0  # bytes

    def read(self, size: int = -1, /) -> bytes:
        """Read as ``stream`` does."""
        data = super().read(size)
        self._hash.update(data)
        self.size += len(data)
        return data

    @property
    def digest(self) -> Digest:
        """The digest of everything read so far."""
        return Digest(self._hash.hexdigest())


def buffered(stream: Readable) -> io.BufferedReader:
    """``stream`` with a buffer, so that its first bytes can be looked at."""
    return io.BufferedReader(stream if isinstance(stream, RawReader) else RawReader(stream), CHUNK)


def pieces(stream: Readable, size: int = CHUNK) -> Iterator[bytes]:
    """The rest of ``stream``, up to ``size`` bytes at a time."""
    while data := stream.read(size):
        yield data
