"""Tar archives of whoever, for readers that look for members by their names: what they remember has bounds."""

from __future__ import annotations

import io
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

from cannery.image.decompression import compression_of, unzipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LONGEST_HEADER", "HeaderLimit", "bounded_tar"]

LONGEST_HEADER: Final = 1 << 20  # bytes: names and attributes; a longer one is an attack
_MOST_OF_HEADERS: Final = 2 << 20  # bytes that come before a member's content: maps of sparse files among them
_MOST_MEMBERS: Final = 50_000  # a kit has some thousands, an archive of images hundreds
_EXTENDED: Final = frozenset(  # headers about the next member, which are read as a whole
    (
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    )
)


class _BoundedHeader(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header; raises :class:`tarfile.ReadError` for one that says that a longer one follows."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDED and header.size > LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {header.size} bytes")
        return header


class HeaderLimit:
    """How much may be read before a member's content, as tarfile reads the map of a sparse file, however long."""

    def __init__(self) -> None:
        self._left: int | None = None  # None: it's contents that are read

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Count what is read in the block; a map that is cut off raises :class:`tarfile.ReadError`, too."""
        self._left = _MOST_OF_HEADERS
        try:
            yield
        except IndexError as error:
            raise tarfile.ReadError("the map of a sparse file is cut off") from error
        finally:
            self._left = None

    def take(self, size: int) -> None:
        """Raise :class:`tarfile.ReadError` where ``size`` bytes are more than may be read."""
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                raise tarfile.ReadError(f"more than {_MOST_OF_HEADERS:,} bytes of headers before a member")


class _LimitedFile(io.RawIOBase):
    """The file of an archive, which the limit is told of."""

    def __init__(self, stream: BinaryIO, limit: HeaderLimit) -> None:
        self._stream, self._limit = stream, limit

    def readable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """The place."""
        return self._stream.tell()

    def read(self, size: int = -1, /) -> bytes:
        """Read as the file does."""
        self._limit.take(size)
        return self._stream.read(size)


class _BoundedTar(tarfile.TarFile):
    tarinfo = _BoundedHeader

    def __init__(self, stream: BinaryIO) -> None:
        self._limit = HeaderLimit()
        super().__init__(fileobj=cast("BinaryIO", _LimitedFile(stream, self._limit)), mode="r")

    def next(self) -> tarfile.TarInfo | None:
        """Read the next member; raises :class:`tarfile.ReadError` where there are too many."""
        if len(getattr(self, "members", ())) > _MOST_MEMBERS:
            raise tarfile.ReadError(f"it has more than {_MOST_MEMBERS:,} members")
        with self._limit():
            return super().next()


@contextmanager
def bounded_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """The archive in the file ``path``, plain or compressed.

    Besides what the file's system and the decompressor raise, reading it raises :class:`tarfile.TarError`.
    """
    with path.open("rb") as file:
        stream = unzipped(file, compression_of(file.peek(8)[:8]))
        with stream, _BoundedTar(stream) as archive:
            yield archive
