"""What packages of systems are made of: archives by ``ar`` and ``cpio``, and RPM's files, read from front to back.

A package of Debian is an archive by ``ar`` with compressed tar archives in it (deb(5)); one of RPM a lead and two
headers before a compressed archive by ``cpio``. Sizes in them are whoever's: no more is read than is looked at.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, BinaryIO, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.hashing import Readable
    from cannery.secrets.budget import Budget

__all__ = ["AR", "CPIO", "RPM", "ForwardMember", "inside_ar", "inside_cpio", "payload_of_rpm"]

AR: Final = b"!<arch>\n"
CPIO: Final = (b"070701", b"070702")  # the "new" form, with and without checksums
RPM: Final = b"\xed\xab\xee\xdb"
_AR_HEADER, _CPIO_HEADER, _RPM_LEAD, _RPM_HEADER = 60, 110, 96, 16
_RPM_MAGIC: Final = b"\x8e\xad\xe8"
_LONGEST_NAME: Final = 1 << 12  # bytes
_PIECE: Final = 1 << 16


class ForwardMember(io.RawIOBase):
    """A member: the next ``size`` bytes of a stream that only goes forwards."""

    def __init__(self, stream: Readable, size: int) -> None:
        self._stream, self._left = stream, size

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._stream.read(min(wanted, _PIECE)) or b"" if wanted else b""
        self._left = self._left - len(data) if data else 0
        return data

    def skip(self, beyond: int = 0) -> None:
        """Pass over what is left, and ``beyond`` bytes more."""
        self._left += beyond
        while self.read(_PIECE):
            pass


def inside_ar(stream: BinaryIO, budget: Budget) -> Iterator[tuple[str, BinaryIO]]:
    """The members of an archive by ``ar``, each with its name."""
    _exactly(stream, len(AR))
    while budget.next_member() and len(header := _exactly(stream, _AR_HEADER)) == _AR_HEADER:
        size = int(header[48:58])
        part = ForwardMember(stream, max(0, size))
        yield header[:16].decode("latin-1").rstrip().rstrip("/"), cast("BinaryIO", part)
        part.skip(size % 2)


def inside_cpio(stream: BinaryIO, budget: Budget) -> Iterator[tuple[str, BinaryIO]]:
    """The members of an archive by ``cpio``, each with its name."""
    while budget.next_member() and len(header := _exactly(stream, _CPIO_HEADER)) == _CPIO_HEADER:
        if not header.startswith(CPIO):
            return
        size, length = int(header[54:62], 16), int(header[94:102], 16)
        if length > _LONGEST_NAME:
            return
        name = _exactly(stream, length + -(_CPIO_HEADER + length) % 4)[:length].rstrip(b"\0").decode("utf-8", "replace")
        part = ForwardMember(stream, size)
        if size:
            yield name, cast("BinaryIO", part)
        part.skip(-size % 4)


def payload_of_rpm(stream: BinaryIO) -> BinaryIO:
    """The stream, at the compressed archive that an RPM package ends in."""
    _exactly(stream, _RPM_LEAD)
    for last in (False, True):
        header = _exactly(stream, _RPM_HEADER)
        if len(header) < _RPM_HEADER or not header.startswith(_RPM_MAGIC):
            raise EOFError
        entries, size = struct.unpack(">II", header[8:])
        length = 16 * entries + size
        ForwardMember(stream, length).skip(0 if last else -length % 8)
    return stream


def _exactly(stream: Readable, size: int) -> bytes:
    """The next ``size`` bytes, fewer where the stream ends before."""
    data = b""
    while len(data) < size and (piece := stream.read(size - len(data))):
        data += piece
    return data
