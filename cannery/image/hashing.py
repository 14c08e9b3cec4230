"""What is written, hashed and counted on its way to where it goes."""

from __future__ import annotations

import hashlib
from typing import Protocol

from cannery.workspace.digest import Digest

__all__ = ["HashingWriter", "Sink"]


class Sink(Protocol):
    """Takes bytes: a file, a socket, another writer."""

    def write(self, data: bytes | bytearray | memoryview, /) -> object:
        """Take all of ``data``."""
        ...


class HashingWriter:
    """Passes what it is given on to ``sink``, and knows its digest and its size."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self.size = 0  # bytes

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Hash ``data`` and pass it on; return how many bytes it has."""
        length = memoryview(data).nbytes
        self._hash.update(data)
        self._sink.write(data)
        self.size += length
        return length

    @property
    def digest(self) -> Digest:
        """The digest of everything written so far."""
        return Digest(self._hash.hexdigest())
