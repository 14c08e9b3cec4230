"""Contents: the bytes of files, by reference."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["TIME", "Content", "Inline", "OnDisk", "digest_of", "time_of"]

TIME: Final = 1  # of all but regular files, in seconds since the epoch; some programs take 0 for 'no time given'

_OLDEST: Final = 315_532_800  # 1 January 1980, in seconds since the epoch: archives of some kinds hold no time before
_SPAN: Final = 1 << 29  # seconds, 17 years


class Content(Protocol):
    """The bytes of a file, by reference."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    def open(self) -> BinaryIO:
        """Open the bytes for reading, from the first."""
        ...


@dataclass(frozen=True, slots=True)
class Inline:
    """Content that is made here and small."""

    data: bytes

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.data)

    def open(self) -> BinaryIO:
        """Open the bytes for reading."""
        return io.BytesIO(self.data)


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Content that lies in a file and is read only when it's packed."""

    path: Path
    size: int
    digest: Digest | None = None  # if it is known: packing anything else is an error

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return self.path.open("rb")


def digest_of(content: Content) -> Digest:
    """The digest of ``content``, which is read where it isn't known."""
    known = content.digest if isinstance(content, OnDisk) else None
    return known or Digest.of_content(content)


def time_of(digest: Digest) -> int:
    """The time of a regular file whose content has ``digest``, in seconds since the epoch: between 1980 and 1997.

    It's the same for the same content, as all that is made has to be, and another for another: servers tell clients by
    time and size (RFC 9110, ETag) that a file is what it was.
    """
    return _OLDEST + int(digest.hex[:16], 16) % _SPAN
