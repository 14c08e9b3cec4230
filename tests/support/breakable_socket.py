"""A socket that leads to an engine until it's cut: for the client that is an engine that dies."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BreakableSocket"]

_CHUNK = 1 << 16


class BreakableSocket:
    """Leads from ``path`` to ``target``; it's cut by itself when ``limit`` bytes went there."""

    def __init__(self, path: Path, target: Path, *, limit: int | None = None) -> None:
        self._target = str(target)
        self._limit = limit
        self._sent = 0
        self._sockets = [socket.socket(socket.AF_UNIX)]
        self._sockets[0].bind(str(path))
        self._sockets[0].listen()

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        for each in self._sockets:
            each.close()

    def cut(self) -> None:
        """End all connections, and take no more."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._sockets[0].accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(self._target)
                self._sockets += [client, engine]
                threading.Thread(target=self._copy, args=(client, engine), daemon=True).start()
                threading.Thread(target=self._copy, args=(engine, client), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                sink.sendall(data)
                self._sent += len(data)
                if self._limit is not None and self._sent > self._limit:
                    self.cut()
            sink.shutdown(socket.SHUT_WR)
