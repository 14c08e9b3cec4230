"""gzip on every core, with the same bytes however many there are.

The input is cut into blocks that threads deflate at the same time, each with the end of the block before it as its
dictionary, so that matches reach across the cut as they do in one stream (RFC 1951, as pigz does it). A cut costs a
few bytes, and where the cuts lie depends on the input alone: the number of workers changes the time and nothing else.
The bytes are those of one zlib: another version or another implementation may find other matches.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from cannery.image.hashing import Sink

__all__ = ["GzipWriter", "available_cpus"]

BLOCK = 512 * 1024  # bytes of input deflated at a time
_WINDOW = 32 * 1024  # bytes: as far back as a match may reach (RFC 1951, 2)
_HEADER = bytes.fromhex("1f8b 08 00 00000000 00 ff")  # deflate, no name, no time, no hint, no system (RFC 1952, 2.3)
_QUEUED = 2  # blocks a worker: one at work, and one that waits or is done
_ENOUGH = 16  # workers: the thread that feeds them cannot keep more of them busy


class GzipWriter:
    """Compresses what is written to it into one gzip member (RFC 1952) on ``sink``.

    It holds a few blocks a worker and no more: ``write`` waits while they are at work. ``sink`` is written to from the
    caller's thread alone, and is left open. When the ``with`` block ends with an error, the member is left unfinished,
    and no reader takes it for a whole one.
    """

    def __init__(self, sink: Sink, *, level: int = 6, workers: int | None = None) -> None:
        workers = workers or min(available_cpus(), _ENOUGH)
        self._sink = sink
        self._level = level
        self._block = bytearray()
        self._dictionary = b""
        self._crc = 0
        self._size = 0
        self._queue: deque[Future[tuple[bytes, bytes]]] = deque()
        self._capacity = workers * _QUEUED
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="gzip")

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take ``data``; return how many bytes it has."""
        rest = memoryview(data).cast("B")
        length = len(rest)
        while rest:
            room = BLOCK - len(self._block)
            self._block += rest[:room]
            rest = rest[room:]
            if len(self._block) == BLOCK:
                self._submit(zlib.Z_SYNC_FLUSH)
        return length

    def __enter__(self) -> Self:
        self._sink.write(_HEADER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def _submit(self, flush: int) -> None:
        if len(self._queue) == self._capacity:
            self._collect()
        block, self._block = self._block, bytearray()
        self._crc = zlib.crc32(block, self._crc)
        self._size += len(block)
        self._queue.append(self._pool.submit(_deflate, block, self._dictionary, self._level, flush))
        self._dictionary = bytes(block[-_WINDOW:])

    def _collect(self) -> None:
        for part in self._queue.popleft().result():
            self._sink.write(part)

    def _finish(self) -> None:
        self._submit(zlib.Z_FINISH)
        while self._queue:
            self._collect()
        self._sink.write(self._crc.to_bytes(4, "little") + (self._size % 2**32).to_bytes(4, "little"))


def available_cpus() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _deflate(block: bytearray, dictionary: bytes, level: int, flush: int) -> tuple[bytes, bytes]:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=dictionary)
    return compressor.compress(block), compressor.flush(flush)
