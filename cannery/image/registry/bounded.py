"""Connections on which whatever is no body has an end, too: interim answers, headers, what comes behind chunks.

A server that sends a little of it for ever is silent at no time, so that no timeout ends it (RFC 9110, 15.2; RFC 9112,
7.1.2).
"""

from __future__ import annotations

import http.client
import io
from typing import Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

__all__ = ["POOLS"]

_MOST_LINES: Final = 1000  # one after the other: http.client takes 100 headers, and any number of interim answers


class _BoundedReader(io.BufferedReader):
    """What a server sends; raises :class:`http.client.HTTPException` where lines go on and on, and no body comes."""

    _lines = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self._lines += 1
        if self._lines > _MOST_LINES:
            raise http.client.HTTPException(f"it sent {_MOST_LINES} lines, and no more of a body")
        return super().readline(size)

    def read(self, size: int | None = -1, /) -> bytes:
        self._lines = 0
        return super().read(size)


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp = _BoundedReader(self.fp.detach())


class _BoundedConnection(HTTPConnection):
    response_class = _BoundedResponse


class _BoundedTLSConnection(HTTPSConnection):
    response_class = _BoundedResponse


class _BoundedPool(HTTPConnectionPool):
    ConnectionCls = _BoundedConnection


class _BoundedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTLSConnection


POOLS: Final = {"http": _BoundedPool, "https": _BoundedTLSPool}  # for urllib3's managers
