"""Run as a script: ``send_requests.py PORT TARGET STATUS SECONDS CONNECTIONS`` asks a server as fast as it answers.

Each connection sends its next request once the last one was answered. Prints JSON: how many were answered with the
STATUS, how many otherwise or not at all, the seconds of it, and those of the processor that this has taken.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from contextlib import suppress

_HOST = "127.0.0.1"
_WARM = 0.3  # seconds that don't count
_PATIENCE = 10.0  # seconds for one answer
_CHUNK = 1 << 16


class _Connection:
    """A connection that is made anew where the server has closed it."""

    def __init__(self, port: int, target: str) -> None:
        self._port = port
        self._request = f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: */*\r\n\r\n".encode()
        self._socket: socket.socket | None = None
        self._data = b""

    def ask(self) -> int:
        """Send the request; return the answer's status, once all of the answer is there."""
        if self._socket is None:
            self._socket = socket.create_connection((_HOST, self._port), timeout=_PATIENCE)
            self._data = b""
        self._socket.sendall(self._request)
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            self._receive()
        head, self._data = self._data[:end].lower(), self._data[end + 4 :]
        status = int(head.split(None, 2)[1])
        fields = dict(line.partition(b":")[::2] for line in head.split(b"\r\n")[1:])
        self._read_body(fields, empty=status in {204, 304})
        if b"close" in fields.get(b"connection", b""):
            self.close()
        return status

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _read_body(self, fields: dict[bytes, bytes], *, empty: bool) -> None:
        if b"chunked" in fields.get(b"transfer-encoding", b""):
            while True:
                while (end := self._data.find(b"\r\n")) < 0:
                    self._receive()
                size = int(self._data[:end].split(b";")[0], 16)
                self._skip(end + 2 + size + 2)
                if size == 0:
                    return
        elif (length := fields.get(b"content-length")) is not None:
            self._skip(int(length))
        elif not empty:  # it ends with the connection
            with suppress(ConnectionError):
                while True:
                    self._data = b""
                    self._receive()
            self.close()

    def _skip(self, count: int) -> None:
        while len(self._data) < count:
            self._receive()
        self._data = self._data[count:]

    def _receive(self) -> None:
        data = self._socket.recv(_CHUNK) if self._socket else b""
        if not data:
            raise ConnectionError("the server has closed the connection")
        self._data += data


class _Counts:
    """What all connections have counted; each thread adds to lists of its own, which needs no lock."""

    def __init__(self) -> None:
        self.answered: list[float] = []  # when
        self.failed: list[float] = []


def _keep_asking(connection: _Connection, expected: int, until: float, counts: _Counts) -> None:
    while time.perf_counter() < until:
        try:
            good = connection.ask() == expected
        except (OSError, ValueError, IndexError):
            connection.close()
            good = False
            time.sleep(0.001)
        (counts.answered if good else counts.failed).append(time.perf_counter())
    connection.close()


def main(port: int, target: str, status: int, seconds: float, connections: int) -> None:
    """Ask over all connections at once, and print what came of it."""
    counts = _Counts()
    began = time.perf_counter() + _WARM
    threads = [
        threading.Thread(target=_keep_asking, args=(_Connection(port, target), status, began + seconds, counts))
        for _ in range(connections)
    ]
    for thread in threads:
        thread.start()
    time.sleep(_WARM)
    used = time.process_time()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    found = {
        "answered": sum(at >= began for at in counts.answered),
        "failed": sum(at >= began for at in counts.failed),
        "seconds": took,
        "processor": time.process_time() - used,
    }
    print(json.dumps(found))  # noqa: T201  # it's what the caller reads


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
