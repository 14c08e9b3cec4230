"""Readers of foreign data take memory for what an image may be, and not for what somebody says that it is."""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import tarfile
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from cannery.audit.archives import read_archive
from cannery.errors import CanneryError
from cannery.image.media.archive import Archive
from cannery.image.media.docker_archive import DockerArchive
from cannery.image.media.registry import Registry
from cannery.image.registry import connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.once

LARGE = 400 << 20  # bytes that a small file unpacks to
ENOUGH = 150 << 20  # bytes more than a process has already


def within(work: Callable[[], object]) -> str:
    """What is wrong, by a child process that may have little more memory than this one; or how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        pages = int(open("/proc/self/statm", encoding="ascii").read().split()[0])  # noqa: PTH123, SIM115
        limit = pages * resource.getpagesize() + ENOUGH
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        said = "nothing"
        try:
            work()
        except CanneryError as error:
            said = str(error)
        except BaseException as error:  # noqa: BLE001  # the process ends here
            said = repr(error)
        finally:
            os.write(writer, said.encode()[:1000])
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as stream:
        return stream.read().decode()


def archive_with(path: Path, name: str, size: int = LARGE, count: int = 1) -> Path:
    """A small archive whose document ``name`` is large, or there very often."""
    block = b" " * (1 << 20)
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for number in range(count):
            member = tarfile.TarInfo(name.format(number))
            member.size = size
            stream.write(member.tobuf())
            for start in range(0, size, len(block)):
                stream.write(b"{" + block[1 : min(len(block), size - start)] if start == 0 else block[: size - start])
            stream.write(bytes(-size % 512))
        stream.write(bytes(1024))
    return path


def test_a_large_manifest_of_docker_is_refused(tmp_path: Path) -> None:
    path = archive_with(tmp_path / "image.tar.gz", "manifest.json")
    assert "is too large" in within(DockerArchive(path, None, "x").root)


def test_a_large_index_is_refused(tmp_path: Path) -> None:
    path = archive_with(tmp_path / "image.tar.gz", "index.json")
    assert "is too large" in within(Archive(path).root)


@pytest.mark.parametrize(("size", "count"), [(LARGE, 1), (8 << 20, 50)])
def test_an_audit_keeps_no_more_documents_than_images_have(tmp_path: Path, size: int, count: int) -> None:
    path = archive_with(tmp_path / "image.tar.gz", "{}.json", size, count)
    data = path.read_bytes()
    assert "document" in within(lambda: read_archive(io.BytesIO(data), "x"))


class _Bomb(BaseHTTPRequestHandler):
    """Answers with what is small on its way and large once it's unpacked."""

    status = 200
    body = b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        with suppress(OSError):  # whoever asked has had enough
            self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.mark.parametrize(("status", "told"), [(200, "is too large"), (404, "there is no image"), (500, "try again")])
def test_what_a_registry_answers_unpacks_to_no_more_than_is_read(
    status: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WAITS", ())
    handler = type("Handler", (_Bomb,), {"status": status, "body": gzip.compress(bytes(LARGE), 1)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = within(Registry(f"127.0.0.1:{server.server_port}/a/b:1").root)
        server.shutdown()
    assert told in found


def test_a_layer_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cannery.audit.layers._MOST", 100)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        for number in range(101):
            archive.addfile(tarfile.TarInfo(str(number)))
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, data in (("layer.tar", layer.getvalue()), ("manifest.json", json.dumps([]).encode())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    with pytest.raises(CanneryError, match="more than 100 files"):
        read_archive(io.BytesIO(whole.getvalue()), str(tmp_path))
