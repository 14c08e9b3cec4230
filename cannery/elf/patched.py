"""Content with some bytes of other content written over; they are written over when it is read."""

from __future__ import annotations

import errno
import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import WriteableBuffer

    from cannery.image.content import Content

__all__ = ["Patch", "Patched"]

_BUFFER = 128 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Patch:
    """Bytes to write from ``start`` up to ``stop``: ``data``, and zeros behind it."""

    start: int
    stop: int
    data: bytes = b""

    def write_on(self, view: memoryview, offset: int) -> None:
        """Change those bytes of ``view`` that the patch covers; ``offset`` is where the view starts."""
        start, stop = max(self.start, offset), min(self.stop, offset + len(view))
        if start < stop:
            part = self.data[start - self.start : stop - self.start]
            view[start - offset : stop - offset] = part.ljust(stop - start, b"\0")


@dataclass(frozen=True, slots=True)
class Patched:
    """The first ``size`` bytes of ``source`` with ``patches`` written over them, one after the other."""

    source: Content
    size: int
    patches: tuple[Patch, ...]

    def open(self) -> BinaryIO:
        """Open the bytes for reading; each read reads as much of the source."""
        return io.BufferedReader(_PatchedStream(self.source.open(), self.size, self.patches), _BUFFER)


class _PatchedStream(io.RawIOBase):
    def __init__(self, source: BinaryIO, size: int, patches: Sequence[Patch]) -> None:
        self._source = source
        self._size = size
        self._patches = patches
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        position = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence] + offset
        if position < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = position
        return position

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        self._source.seek(self._position)
        data = self._source.read(min(len(view), max(0, self._size - self._position)))
        view = view[: len(data)]
        view[:] = data
        for patch in self._patches:
            patch.write_on(view, self._position)
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        self._source.close()
        super().close()
