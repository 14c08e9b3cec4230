"""One GET request over a Unix socket: an engine answers in a millisecond, in which no client could be imported.

HTTP/1.0 is enough (RFC 1945): the end of the connection is the end of the answer, so only the status line is parsed.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Reply", "ask", "ping"]

_PATIENCE: Final = 5.0  # seconds; on a busy machine an engine may take a few, and a prompt waits no longer
_CHUNK: Final = 1 << 16
_OK: Final = 200  # of HTTP


class Reply(NamedTuple):
    """An engine's answer."""

    status: int  # the HTTP status code
    body: Any  # decoded JSON


def ask(path: str, resource: str) -> Reply:
    """The answer to GET ``resource`` from the socket at ``path``.

    Raises :class:`OSError` when nobody answers in time, :class:`ValueError` when the answer isn't HTTP with JSON.
    """
    head, body = _exchange(path, resource)
    return Reply(_status(head), json_value(body))


def ping(path: str) -> Mapping[str, str]:
    """The headers of an engine's greeting, by their names in lower case (Engine API, SystemPing); none if it refuses.

    Raises :class:`OSError` when nobody answers in time, :class:`ValueError` when the answer isn't HTTP.
    """
    head, _ = _exchange(path, "/_ping")
    if _status(head) != _OK:
        return {}
    fields = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in fields}


def _exchange(path: str, resource: str) -> tuple[bytes, bytes]:
    """The head and the body of the answer to GET ``resource``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(path)
        try:
            connection.sendall(f"GET {resource} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
        except BrokenPipeError as error:
            raise ConnectionResetError("it closed the connection") from error
        received = b""
        while data := connection.recv(_CHUNK):
            received += data
    if not received:
        raise ConnectionResetError("it closed the connection without a word")
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def _status(head: bytes) -> int:
    protocol, _, rest = head.partition(b" ")
    if not protocol.startswith(b"HTTP/"):
        raise ValueError("no HTTP")
    return int(rest[:3])
