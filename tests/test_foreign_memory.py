"""Readers of foreign data take memory for what an image may be, and not for what somebody says that it is."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import resource
import struct
import sys
import tarfile
import threading
import zipfile
import zlib
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cannery.audit.archives import read_archive
from cannery.audit.pyc import read_pyc
from cannery.audit.scan import scan
from cannery.elf.dynamic import read_elf
from cannery.elf.strip import strip_elf
from cannery.errors import CanneryError
from cannery.executable.kit.kit import given_kit
from cannery.executable.kit.toolchain import native_target
from cannery.image.content import Inline
from cannery.image.decompression import unzipped
from cannery.image.media.archive import Archive
from cannery.image.media.docker_archive import DockerArchive
from cannery.image.media.registry import Registry
from cannery.image.registry import connection
from cannery.python.wheel import read_wheel
from cannery.secrets.search import SecretSearch
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.once

LARGE = 400 << 20  # bytes that a small file unpacks to
TOO_LARGE = b"\xff\xff\xff\x7f"  # a length in bytecode
PROGRAM = Path(sys.executable).resolve().read_bytes()[: 1 << 16]
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


@pytest.mark.slow
def test_a_large_manifest_of_docker_is_refused(tmp_path: Path) -> None:
    path = archive_with(tmp_path / "image.tar.gz", "manifest.json")
    assert "is too large" in within(DockerArchive(path, None, "x").root)


@pytest.mark.slow
def test_a_large_index_is_refused(tmp_path: Path) -> None:
    path = archive_with(tmp_path / "image.tar.gz", "index.json")
    assert "is too large" in within(Archive(path).root)


@pytest.mark.slow
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


def with_long_header(kind: bytes) -> bytes:
    """An archive that says that a large header about its next member follows (pax, or GNU's long names)."""
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, LARGE
    return member.tobuf() + f"{LARGE} path=".encode() + b"a" * (1 << 20)


@pytest.fixture(scope="module", params=[tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def long_header(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "image.tar.gz"
    path.write_bytes(gzip.compress(with_long_header(request.param), 1))
    return path


def test_a_header_about_a_member_is_no_longer_than_any_is(long_header: Path, tmp_path: Path) -> None:
    data = io.BytesIO(gzip.decompress(long_header.read_bytes()))
    readers: list[Callable[[], object]] = [Archive(long_header).root, lambda: kit_in(long_header, tmp_path)]
    readers.append(lambda: read_archive(data, "x"))
    for read in readers:
        with pytest.raises(CanneryError, match=f"a header of {LARGE} bytes"):
            read()


def kit_in(path: Path, home: Path) -> object:
    return given_kit(path, native_target().platform, Workspace(Cache(home / "cache")))


@pytest.mark.slow
def test_what_a_kit_says_of_itself_is_short(tmp_path: Path) -> None:
    path = archive_with(tmp_path / "python.kit", "kit.json")
    assert "is no kit of this version" in within(lambda: kit_in(path, tmp_path))


def test_archives_have_no_more_members_than_anybody_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cannery.image.bounded_tar._MOST_MEMBERS", 100)
    path = tmp_path / "image.tar"
    with tarfile.open(path, mode="w") as archive:
        for number in range(102):
            archive.addfile(tarfile.TarInfo(str(number)))
    readers: list[Callable[[], object]] = [Archive(path).root, lambda: kit_in(path, tmp_path)]
    for read in readers:
        with pytest.raises(CanneryError, match="more than 100 members"):
            read()


def sparse(blocks: int) -> bytes:
    """An archive with a sparse file whose map has so many blocks (GNU's form)."""
    member = tarfile.TarInfo("x")
    member.type = tarfile.GNUTYPE_SPARSE
    part, more = b"00000000001\0" * 2, b"\1"  # one byte at the place 1; another block follows
    head = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    head[386:482], head[482:483], head[148:156] = part * 4, more, b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + (part * 21 + more + bytes(7)) * blocks


def newer_sparse(parts: int) -> bytes:
    """The same in the form that pax has, the map before the content."""
    member = tarfile.TarInfo("x")
    member.size = 1 << 33
    named = {"major": "1", "minor": "0", "name": "x", "realsize": "1"}
    member.pax_headers = {f"GNU.sparse.{name}": value for name, value in named.items()}
    return member.tobuf(tarfile.PAX_FORMAT) + b"1000000000\n" + b"1\n1\n" * parts


@pytest.mark.slow
@pytest.mark.parametrize("data", [sparse(10_000), newer_sparse(1_000_000)], ids=["GNU", "pax"])
def test_the_map_of_a_sparse_file_is_no_longer_than_any_is(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(data)
    readers: list[Callable[[], object]] = [Archive(path).root, lambda: read_archive(io.BytesIO(data), "x")]
    for read in readers:
        with pytest.raises(CanneryError, match="bytes of headers before a member"):
            read()


def test_a_map_of_a_sparse_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    (tmp_path / "image.tar").write_bytes(sparse(10))
    with pytest.raises(CanneryError, match="is cut off"):
        Archive(tmp_path / "image.tar").root()


def with_dictionary(size: int) -> bytes:
    """A small stream by xz whose header asks for a dictionary of 2 ** ``size`` bytes (xz-file-format, 5.3.1)."""
    data = bytearray(lzma.compress(bytes(1000)))
    header = slice(12, 12 + 4 * (data[12] + 1))
    place = data.index(b"\x21\x01", header.start)  # LZMA2, with one byte of properties
    data[place + 2] = 2 * (size - 12)
    data[header.stop - 4 : header.stop] = zlib.crc32(data[header.start : header.stop - 4]).to_bytes(4, "little")
    return bytes(data)


def test_a_dictionary_of_xz_is_no_larger_than_xz_makes_them(tmp_path: Path) -> None:
    (tmp_path / "image.tar.xz").write_bytes(large := with_dictionary(31))
    assert "can't be read" in within(Archive(tmp_path / "image.tar.xz").root)
    assert "is no kit" in within(lambda: kit_in(tmp_path / "image.tar.xz", tmp_path))
    assert within(lambda: SecretSearch("x.xz").through(large, io.BytesIO())) == "nothing"
    assert unzipped(io.BytesIO(with_dictionary(26)), "xz").read() == bytes(1000)


def test_a_window_of_zstd_is_no_larger_than_decoders_take() -> None:
    zstandard: Any = pytest.importorskip("zstandard")
    parameters = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=True)
    made = io.BytesIO()
    with zstandard.ZstdCompressor(compression_params=parameters).stream_writer(made, closefd=False) as writer:
        writer.write(bytes(1 << 20))
    assert "EOFError" in within(lambda: unzipped(io.BytesIO(made.getvalue()), "zstd").read())


def test_streams_by_xz_follow_one_another_and_are_read_again() -> None:
    stream = unzipped(io.BytesIO(lzma.compress(b"one") + bytes(4) + lzma.compress(b"two")), "xz")
    assert stream.read() == b"onetwo"
    assert stream.seek(2) == 2
    assert stream.read(2) == b"et"
    with pytest.raises(EOFError):
        unzipped(io.BytesIO(lzma.compress(b"one")[:-20]), "xz").read()


@pytest.mark.slow
def test_a_wheel_that_unpacks_to_far_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "six-1.0-py3-none-any.whl"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("six.py", "w") as file,
    ):
        for _ in range(LARGE >> 20):
            file.write(bytes(1 << 20))
    assert f"unpacks to {LARGE:,} bytes" in within(lambda: read_wheel(path))


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        b"s" + TOO_LARGE,
        b"(" + TOO_LARGE + b"N" * 10,
        b"l" + TOO_LARGE + b"\1\0" * 1000,
        b"(\0\0\x40\0" + b"N" * (1 << 22),
    ],
    ids=["text", "tuple", "number", "tuple of a million"],
)
def test_bytecode_takes_no_more_than_it_is_long(data: bytes) -> None:
    assert within(lambda: read_pyc(b"\xa7\r\r\n" + bytes(12) + data)) == "nothing"


@pytest.mark.parametrize(("place", "form", "value"), [(56, "<H", 0xFFFF), (60, "<H", 0xFFFF), (60, "<H", 0)])
def test_tables_of_elf_files_are_no_larger_than_the_file(place: int, form: str, value: int) -> None:
    data = bytearray(PROGRAM)
    struct.pack_into(form, data, place, value)
    for start in range(struct.unpack_from("<Q", data, 32)[0], 1024, 56):  # segments: in the file, in memory
        struct.pack_into("<QQ", data, start + 32, 1 << 40, 1 << 45)
    for read in (read_elf, strip_elf):
        assert "MemoryError" not in within(lambda read=read: read(Inline(bytes(data))))  # type: ignore[misc]
    assert within(lambda: scan("app/x.so", io.BytesIO(data), len(data), readable=True)) == "nothing"
