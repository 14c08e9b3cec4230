"""Files of an archive, fetched over HTTP: each with a limit, and with the digest that a signed list gives it."""

from __future__ import annotations

import http.client
import io
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from cannery.errors import RuntimeTreeError
from cannery.image.content import OnDisk
from cannery.image.hashing import CHUNK
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

__all__ = ["AbsentFileError", "fetched", "text_at"]

_PATIENCE: Final = 30  # seconds without an answer
_PAUSES: Final = (1, 4)  # seconds before it's tried again
_LARGEST_TEXT: Final = 16 << 20
_GONE: Final = frozenset({404, 410})
_TEMPORARY: Final = frozenset({408, 429, 500, 502, 503, 504})
_STEP: Final = "check the network, or name another archive with  [tool.cannery]  mirrors"


_OF_THE_NETWORK: Final = (
    *(urllib.error.URLError, ssl.SSLError, ConnectionError, TimeoutError),
    *(http.client.HTTPException, ValueError),
)


class AbsentFileError(RuntimeTreeError):
    """An archive doesn't have a file."""


def text_at(address: str) -> bytes:
    """What lies at ``address``: a list that is signed in itself, so that it has no digest that is known before.

    Raises :class:`AbsentFileError` where there is nothing, :class:`RuntimeTreeError` where it can't be had.
    """
    sink = io.BytesIO()
    _fetch(address, _LARGEST_TEXT + 1, sink)
    if sink.tell() > _LARGEST_TEXT:
        raise RuntimeTreeError(f"{address} is no list of packages", evidence=f"it has over {_LARGEST_TEXT:,} bytes")
    return sink.getvalue()


def fetched(address: str, sha256: str, size: int, workspace: Workspace) -> Path:
    """The path of the file at ``address`` in the cache, which keeps it by its digest.

    Raises :class:`RuntimeTreeError` where it can't be had, or is another file than ``sha256`` and ``size`` say.
    """
    wanted = Digest(sha256)
    if (path := workspace.cache.blob(wanted)).is_file():
        return path
    with workspace.cache.new_blob() as (stream, commit):
        _fetch(address, size + 1, stream)
        stream.flush()
        length = stream.tell()
        found = Digest.of_content(OnDisk(Path(stream.name), length))
        if found != wanted:
            raise RuntimeTreeError(
                f"{address} is another file than the signed list of packages says",
                evidence=f"expected {wanted}, {size:,} bytes\n   found {found}, {length:,} bytes or more",
                step="try again in a while, as mirrors change; or name another with  [tool.cannery]  mirrors",
            )
        return commit(wanted)


def _fetch(address: str, limit: int, sink: BinaryIO) -> None:
    """Write what lies at ``address`` to ``sink``, no more than ``limit`` bytes; what is cut off is fetched again."""
    for pause in (*_PAUSES, None):
        try:
            with urllib.request.urlopen(address, timeout=_PATIENCE) as answer:  # noqa: S310  # http and https only
                sink.seek(0)
                sink.truncate()
                while limit > sink.tell() and (piece := answer.read(min(CHUNK, limit - sink.tell()))):
                    sink.write(piece)
                _check_length(answer, sink.tell(), limit)
                return
        except _OF_THE_NETWORK as error:  # those of the disk go on, and are told as such
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            if pause is None or not _is_temporary(error):
                raise _refusal(address, error) from error
            time.sleep(pause)


def _check_length(answer: http.client.HTTPResponse, length: int, limit: int) -> None:
    """Raise :class:`http.client.IncompleteRead` for an answer that ended too early: reading in parts doesn't tell."""
    told = answer.headers.get("Content-Length")
    if told and told.isdecimal() and length < min(int(told), limit):
        raise http.client.IncompleteRead(b"", int(told) - length)


def _is_temporary(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _TEMPORARY
    return not isinstance(error, ValueError)  # of an address that is none


def _refusal(address: str, error: Exception) -> RuntimeTreeError:
    if isinstance(error, urllib.error.HTTPError) and error.code in _GONE:
        return AbsentFileError(f"there is no {address}", evidence=f"HTTP {error.code} {error.reason}", step=_STEP)
    return RuntimeTreeError(
        f"{address} can't be fetched", evidence=str(getattr(error, "reason", error) or error), step=_STEP
    )
