"""A registry may answer anything: what it answers is an image, or one error that says so."""

from __future__ import annotations

import hashlib
import json
import socketserver
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannery.errors import CanneryError, RegistryError
from cannery.image.media.pull import pull
from cannery.image.media.registry import Registry
from cannery.image.platform import Platform
from cannery.image.registry import connection
from cannery.workspace.cache import Cache
from tests.support.foreign import ANY_JSON, QUICK, edited, odd_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.once

LAYER = b"layer"
CONFIG = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
KINDS = "application/vnd.oci.image"


@dataclass
class _Answer:
    """One answer, which is given to every request."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Handler(BaseHTTPRequestHandler):
    answer: ClassVar[_Answer]

    def do_GET(self) -> None:
        answer = self.answer
        with suppress(OSError):
            self.send_response_only(answer.status)
            self.flush_headers()
            for name, value in answer.headers.items():
                self.wfile.write(f"{name}: {value}\r\n".encode("latin-1", "replace"))
            self.wfile.write(b"\r\n" + answer.body)

    do_HEAD = do_POST = do_GET  # noqa: N815  # as http.server calls them

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True  # none is waited for


@contextmanager
def served(handler: type[socketserver.BaseRequestHandler]) -> Iterator[str]:
    """The address where ``handler`` answers."""
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def for_ever(begin: bytes, line: bytes) -> Iterator[str]:
    """A registry that answers with ``begin``, and then ``line`` after ``line`` until nobody listens any more."""

    class Endless(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while self.rfile.readline() not in {b"", b"\r\n"}:
                    pass
                self.wfile.write(begin)
                while True:
                    self.wfile.write(line * 1000)

    with served(Endless) as address:
        yield address


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A registry that gives the present answer to everything, and is asked once."""
    with pytest.MonkeyPatch.context() as changed, served(_Handler) as found:
        changed.setattr(connection, "WAITS", ())
        yield found


def descriptor(data: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": f"{KINDS}.{kind}", "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


MANIFEST = {
    "schemaVersion": 2,
    "mediaType": f"{KINDS}.manifest.v1+json",
    "config": descriptor(CONFIG, "config.v1+json"),
    "layers": [descriptor(LAYER, "layer.v1.tar+gzip")],
}
CHALLENGES = (
    'Bearer realm="http://127.0.0.1:9/token",service="x",scope="a b"',
    "Basic realm=x",
    'Bearer realm="http://[::1"',
)
BODIES = st.one_of(
    edited(MANIFEST).map(lambda value: json.dumps(value).encode()),
    edited({"errors": [{"code": "DENIED", "message": "no"}]}).map(lambda value: json.dumps(value).encode()),
    edited({"token": "x", "access_token": "y"}).map(lambda value: json.dumps(value).encode()),
    ANY_JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40),
)
TEXTS = odd_lines(*CHALLENGES, "https://other/ /v2/ sha256:00 http://[x").map(lambda text: text.replace("\n", " "))
HEADERS = st.dictionaries(
    st.sampled_from(["WWW-Authenticate", "Location", "Content-Type", "Docker-Content-Digest", "Link"]),
    TEXTS | st.sampled_from(CHALLENGES),
    max_size=3,
)
ANSWERS = st.builds(_Answer, st.sampled_from([200, 200, 206, 301, 307, 401, 401, 403, 404, 416]), HEADERS, BODIES)


@pytest.mark.slow
@QUICK
@given(answer=ANSWERS)
def test_odd_answers(address: str, tmp_path_factory: pytest.TempPathFactory, answer: _Answer) -> None:
    _Handler.answer = answer
    cache = Cache(tmp_path_factory.getbasetemp() / "odd-answers")
    with suppress(CanneryError), Registry(f"{address}/app:1") as found:
        found.digest()
    with suppress(CanneryError), Registry(f"{address}/app:1") as found:
        pull(found, Platform.parse("linux/amd64"), cache)


@pytest.mark.parametrize(
    ("begin", "line"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-More: 1\r\n"),
    ],
    ids=["interim answers", "trailers"],
)
def test_what_is_no_body_has_an_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, begin: bytes, line: bytes) -> None:
    monkeypatch.setattr(connection, "WAITS", ())
    with for_ever(begin, line) as address, Registry(f"{address}/app:1") as found, pytest.raises(RegistryError):
        pull(found, Platform.parse("linux/amd64"), Cache(tmp_path))
