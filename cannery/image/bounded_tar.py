"""Tar archives of whoever, for readers that look for members by their names: what they remember has bounds."""

from __future__ import annotations

import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

from cannery.image.decompression import compression_of, unzipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LONGEST_HEADER", "bounded_tar"]

LONGEST_HEADER: Final = 1 << 20  # bytes: names and attributes; a longer one is an attack
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


class _BoundedTar(tarfile.TarFile):
    tarinfo = _BoundedHeader

    def next(self) -> tarfile.TarInfo | None:
        """Read the next member; raises :class:`tarfile.ReadError` where there are too many."""
        if len(self.members) > _MOST_MEMBERS:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"it has more than {_MOST_MEMBERS:,} members")
        return super().next()


@contextmanager
def bounded_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """The archive in the file ``path``, plain or compressed.

    Besides what the file's system and the decompressor raise, reading it raises :class:`tarfile.TarError`.
    """
    with path.open("rb") as file:
        stream = unzipped(file, compression_of(file.peek(8)[:8]))
        with stream, _BoundedTar(fileobj=stream, mode="r") as archive:
            yield archive
