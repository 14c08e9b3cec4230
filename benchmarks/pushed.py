"""The most memory that a push takes, by sending one layer of 5 GB to a registry that keeps nothing.

``python -m benchmarks.pushed`` prints it; the layer takes no room on a disk.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import resource
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cannery.image import Digest, Layer, Platform, assemble
from cannery.image.media import Registry
from cannery.image.media_types import LAYER

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_SIZE: Final = 5_000_000_000  # bytes
_PIECE: Final = 1 << 20


class RegistryOfNothing(BaseHTTPRequestHandler):
    """A registry that takes everything, has nothing and keeps nothing (OCI distribution-spec v1.1)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say that this is a registry, and that all else isn't there."""
        self._answer(200 if self.path == "/v2/" else 404)

    def do_HEAD(self) -> None:
        """Answer as to GET."""
        self.do_GET()

    def do_POST(self) -> None:
        """Begin an upload."""
        self._answer(202, Location="/v2/uploads/1")

    def do_PUT(self) -> None:
        """Take a blob or a manifest."""
        left = int(self.headers["Content-Length"])
        while left > 0:
            left -= len(self.rfile.read(min(left, _PIECE)))
        self._answer(201)

    def _answer(self, code: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _serve(port: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), RegistryOfNothing)
    port.send(server.server_port)
    server.serve_forever()


def _layer(folder: Path) -> Layer:
    """A layer of zeros that takes no room on a disk."""
    blob, digest = folder / "blob", hashlib.sha256()
    with blob.open("wb") as stream:
        stream.truncate(_SIZE)
    with blob.open("rb") as stream:
        while data := stream.read(_PIECE):
            digest.update(data)
    name = Digest(digest.hexdigest())
    return Layer("zeros", name, name, _SIZE, _SIZE, 1, LAYER, blob)


def _main() -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        image = assemble([_layer(Path(folder))], {}, Platform.parse("linux/amd64"))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        with Registry(f"localhost:{here.recv()}/bench") as registry:
            pushed = registry.push(image, ["latest"])
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    server.terminate()
    sys.stdout.write(
        f"sent {pushed.bytes_sent / 1e9:.1f} GB in {seconds:.0f} s; "
        f"memory at most {peak * 1024 / 1e6:.0f} MB, before the push {before * 1024 / 1e6:.0f} MB\n"
    )


if __name__ == "__main__":
    _main()
