"""Blobs on their way into a registry (OCI distribution-spec v1.1, pushing blobs).

A blob that is there already is not sent, one that another repository of the registry has is mounted, and any other is
sent whole, or in chunks where the registry says that the whole is too large.
"""

from __future__ import annotations

import io
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, cast
from urllib.parse import quote

import requests

from cannery.errors import ImageError, RegistryError
from cannery.image.hashing import HashingReader
from cannery.image.registry.client import refusal, said
from cannery.image.registry.connection import FAILURES, RETRIED, WAITS, asked_to_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cannery.image.registry.client import Repository
    from cannery.workspace.digest import Digest
    from cannery.workspace.workspace import Progress

__all__ = ["Blob", "Gauge", "Sent", "State", "send", "send_in_chunks"]

State = Literal["present", "mounted", "sent"]

_CHUNK: Final = 5 << 20  # bytes: what some registries ask for at least, and below what others take at most
_TOO_LARGE: Final = 413
_OCTETS: Final = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob to be sent."""

    name: str  # for people: "app"
    digest: Digest
    size: int  # bytes
    open: Callable[[], BinaryIO]  # a new stream of its bytes, from their beginning


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a blob."""

    blob: Blob
    state: State
    seconds: float = 0.0  # that sending took


class Gauge:
    """Tells a watcher of all bytes that several threads have sent."""

    def __init__(self, what: str, total: int, progress: Progress) -> None:
        self._what, self._total, self._progress = what, total, progress
        self._done = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes that were sent, or, below 0, that have to be sent once more."""
        with self._lock:
            self._done += count
            self._progress(self._what, self._done, self._total)


class _TooLargeError(Exception):
    """The registry takes no body of that size."""


class _FailedError(Exception):
    """An attempt failed in a way that another may not."""

    def __init__(self, error: RegistryError, wait: float) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait  # seconds


def send(repository: Repository, blob: Blob, gauge: Gauge, mounts: Sequence[str] = ()) -> Sent:
    """Bring ``blob`` into ``repository``; ``mounts`` are repositories of the same registry that may have it.

    Raises :class:`RegistryError` where the registry refuses, ends for good in the middle, or has another digest
    afterwards, :class:`ImageError` where the bytes are not those of the digest.
    """
    if has_blob(repository, blob.digest):
        gauge.add(blob.size)
        return Sent(blob, "present")
    began = time.perf_counter()
    location = None
    for mount in mounts:
        location = _mounted(repository, blob, mount)
        if location is None:
            gauge.add(blob.size)
            return Sent(blob, "mounted")
    _send_in_attempts(repository, blob, gauge, location)
    return Sent(blob, "sent", time.perf_counter() - began)


def has_blob(repository: Repository, digest: Digest) -> bool:
    """True where ``repository`` has the blob of ``digest``; False where it hasn't, or won't say."""
    with repository.asked("HEAD", f"blobs/{digest}") as response:
        return bool(response.ok)


def _mounted(repository: Repository, blob: Blob, mount: str) -> str | None:
    """None where the blob is there now; else the address of the upload that the registry has begun in place of that."""
    path = f"blobs/uploads/?mount={quote(str(blob.digest))}&from={quote(mount, safe='/')}"
    with repository.asked("POST", path, body=bytes) as response:
        if response.status_code == requests.codes.created:
            return None
        if response.status_code == requests.codes.accepted and response.headers.get("Location"):
            return repository.connection.absolute(response.headers["Location"], response.url)
        return ""  # whatever it says, a blob may be sent


def _send_in_attempts(repository: Repository, blob: Blob, gauge: Gauge, location: str | None) -> None:
    """Send a blob, each attempt in an upload of its own: one that broke off is not to be begun again at its start."""
    waits, in_chunks = iter(WAITS), False
    while True:
        counted = _Counted(blob, gauge)
        try:
            _attempt(repository, counted, location, in_chunks=in_chunks)
        except _TooLargeError as error:
            if in_chunks:
                raise RegistryError(
                    f"{repository.reference.registry} takes no chunk of {_CHUNK >> 20} MiB",
                    evidence=str(error),
                    step="ask who runs the registry, or a proxy before it, what it limits bodies to",
                ) from None
            in_chunks = True
        except _FailedError as failed:
            if (wait := next(waits, None)) is None:
                raise failed.error from failed
            repository.connection.wait(max(wait, failed.wait), str(failed.error.what))
        else:
            return
        counted.forget()
        location = None


def _attempt(repository: Repository, counted: _Counted, location: str | None, *, in_chunks: bool) -> None:
    """Send a blob once, in the upload at ``location``, or in one that is begun now."""
    try:
        where = location or _begun(repository)
        if in_chunks:
            with counted.open() as stream:
                where = _send_chunks(repository, stream, where)
            _finish(repository, counted.blob, where, None)
        else:
            _finish(repository, counted.blob, where, counted.open)
    except RegistryError as error:
        if isinstance(error.__cause__, FAILURES):
            raise _FailedError(error, 0.0) from error
        raise


def send_in_chunks(repository: Repository, blob: Blob) -> None:
    """Send ``blob`` once, in chunks whatever its size; raises as :func:`send` does."""
    try:
        with blob.open() as stream:
            where = _send_chunks(repository, stream, _begun(repository))
        _finish(repository, blob, where, None)
    except _TooLargeError as error:
        raise RegistryError(f"{repository.reference.registry} takes no chunk", evidence=str(error)) from None
    except _FailedError as failed:
        raise failed.error from failed


def _begun(repository: Repository) -> str:
    """The address of a new upload."""
    with repository.asked("POST", "blobs/uploads/", body=bytes, again=False) as response:
        _check(repository, response, requests.codes.accepted)
        return _next(repository, response)


def _send_chunks(repository: Repository, stream: BinaryIO, where: str) -> str:
    """Send what ``stream`` has to the upload at ``where``; returns the address that ends it."""
    start = 0
    while data := stream.read(_CHUNK):
        headers = {**_OCTETS, "Content-Range": f"{start}-{start + len(data) - 1}"}
        with repository.asked("PATCH", where, headers=headers, body=lambda data=data: data, again=False) as response:  # type: ignore[misc]
            _check(repository, response, requests.codes.accepted, requests.codes.created, requests.codes.no_content)
            where = _next(repository, response)
        start += len(data)
    return where


def _finish(repository: Repository, blob: Blob, where: str, body: Callable[[], BinaryIO] | None) -> None:
    """End the upload at ``where`` with ``body``, which is all of the blob, or with nothing."""
    url = f"{where}{'&' if '?' in where else '?'}digest={quote(str(blob.digest), safe='')}"
    with repository.asked("PUT", url, headers=_OCTETS, body=body or bytes, again=False) as response:
        _check(repository, response, requests.codes.created, requests.codes.no_content, requests.codes.accepted)
        check_digest(repository, response, blob.digest)


def _next(repository: Repository, response: requests.Response) -> str:
    if location := response.headers.get("Location"):
        return repository.connection.absolute(location, response.url)
    raise RegistryError(
        f"{repository.reference.registry} does not say where to send a blob",
        evidence=f"{said(response)}: there is no header Location",
        step="ask who runs the registry",
    )


def _check(repository: Repository, response: requests.Response, *expected: int) -> None:
    """Raise where ``response`` is another than ``expected``: for another attempt, for chunks, or for good."""
    if response.status_code in expected:
        return
    if response.status_code == _TOO_LARGE:
        raise _TooLargeError(said(response))
    error = refusal(repository, response)
    # An upload that a registry has lost, or a token that ended in the middle: a new upload may do.
    lost = response.status_code in {*RETRIED, requests.codes.not_found, requests.codes.requested_range_not_satisfiable}
    if lost or response.status_code == requests.codes.unauthorized:
        raise _FailedError(error, asked_to_wait(response, 0.0))
    raise error


def check_digest(repository: Repository, response: requests.Response, digest: Digest) -> None:
    """Raise :class:`RegistryError` where the registry says that what it was sent has another digest."""
    found = response.headers.get("Docker-Content-Digest")
    if found and found != str(digest):
        raise RegistryError(
            f"{repository.reference.registry} has something else than it was sent",
            evidence=f"sent  {digest}\nfound {found}",
            step="don't trust what lies between you and that registry",
        )


class _Counted:
    """A blob whose bytes are counted, and compared with its digest, while they are sent."""

    def __init__(self, blob: Blob, gauge: Gauge) -> None:
        self.blob = blob
        self._gauge = gauge
        self._count = 0

    def open(self) -> BinaryIO:
        """A new stream of the bytes; what was counted before counts no more."""
        self.forget()
        return cast("BinaryIO", _CountedStream(self.blob, self._add))

    def forget(self) -> None:
        """Count nothing, as if nothing had been sent."""
        self._gauge.add(-self._count)
        self._count = 0

    def _add(self, count: int) -> None:
        self._count += count
        self._gauge.add(count)


class _CountedStream(io.RawIOBase):
    """A stream of a blob; ``len`` is what is sent as its length."""

    def __init__(self, blob: Blob, counted: Callable[[int], None]) -> None:
        self._blob = blob
        self._stream = blob.open()
        self._reader = HashingReader(self._stream)
        self._counted = counted

    def __len__(self) -> int:
        return self._blob.size

    def tell(self) -> int:
        """The number of bytes that were read, which is none where a request measures what is left to send."""
        return self._reader.size

    def read(self, size: int = -1, /) -> bytes:
        data = self._reader.read(size)
        self._counted(len(data))
        ended = not data or self._reader.size >= self._blob.size  # before the last byte is sent, at the latest
        if ended and self._reader.digest != self._blob.digest:
            raise ImageError(
                f"the blob of {self._blob.name} is damaged",
                evidence=f"expected {self._blob.digest}\n   found {self._reader.digest}",
                step="build again with an empty cache (CANNERY_CACHE)",
            )
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()
