"""Contents: the bytes of files, by reference."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.digest import Digest

__all__ = ["TIME", "Content", "Inline", "OnDisk"]

TIME: Final = 1  # of every file that is made, in seconds since the epoch; some programs take 0 for 'no time given'


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
