"""Archives read from a stream that can't go back, whoever wrote them."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from cannery.image.hashing import RawReader
from cannery.image.tar import members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.once

BLOCK = tarfile.BLOCKSIZE


class Stream:
    """Bytes that can be read once, a few at a time, and no more."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1, /) -> bytes:
        return self._data.read(min(size, 700) if size >= 0 else size)


def archive_of(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def contents(data: bytes) -> dict[str, bytes | None]:
    return {member.name: content.read() if content else None for member, content in members(Stream(data))}


def test_a_member_of_a_negative_size_is_refused() -> None:
    header = bytearray(tarfile.TarInfo("a").tobuf())
    header[124:136] = b"\xff" * 12  # -1, as GNU tar writes large numbers
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:512]) + 8 * 32)
    with pytest.raises(tarfile.TarError):
        list(members(io.BytesIO(bytes(header) + bytes(1024))))


def test_members_come_in_their_order_with_their_contents() -> None:
    assert list(contents(archive_of(b=b"1" * 2000, a=b"", c=b"3")).items()) == [
        ("b", b"1" * 2000),
        ("a", b""),
        ("c", b"3"),
    ]


def test_contents_need_not_be_read() -> None:
    assert [member.name for member, _ in members(Stream(archive_of(a=b"1" * 2000, b=b"2")))] == ["a", "b"]


@pytest.mark.parametrize("length", [BLOCK + 3, 2 * BLOCK - 1, 2 * BLOCK, 3 * BLOCK])
def test_an_archive_may_lack_what_follows_the_last_content(length: int) -> None:
    assert contents(archive_of(last=b"abc")[:length]) == {"last": b"abc"}


@pytest.mark.parametrize("length", [BLOCK, BLOCK + 2, 2 * BLOCK + 100])
@pytest.mark.parametrize("read", [True, False])
def test_an_archive_that_stops_in_a_member_is_an_error(length: int, *, read: bool) -> None:
    stream = Stream(archive_of(a=b"abc", b=b"d")[:length])
    with pytest.raises(tarfile.ReadError):
        assert [content.read() for _, content in members(stream) if content and read]


def test_an_archive_that_goes_on_with_anything_else_is_an_error() -> None:
    garbage = archive_of(a=b"abc")[: 2 * BLOCK] + b"garbage " * 64
    with pytest.raises(tarfile.ReadError, match="what follows byte 1536 is no member of an archive"):
        contents(garbage)


def test_zeros_behind_the_end_are_nobody_s() -> None:
    assert contents(archive_of(a=b"abc") + bytes(50_000)) == {"a": b"abc"}


def test_a_header_that_claims_to_be_huge_is_not_read_into_memory() -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    with pytest.raises(tarfile.ReadError, match="a header of"):
        contents(info.tobuf(tarfile.GNU_FORMAT) + bytes(4 << 20))


def test_a_sparse_file_of_gnu_tar_s_has_its_holes(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.write(b"head")
        file.seek(1 << 20)
        file.write(b"tail")
    for form in ("gnu", "posix"):
        command = ["tar", f"--format={form}", "--sparse", "-cf", "-", "sparse"]
        packed = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=True).stdout
        assert len(packed) < 1 << 20
        assert contents(packed) == {"sparse": (tmp_path / "sparse").read_bytes()}


def test_a_sparse_file_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"tail" * 1000)
    command = ["tar", "--format=gnu", "--sparse", "-cf", "-", "sparse"]
    packed = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=True).stdout
    with pytest.raises(tarfile.ReadError, match="in 'sparse'"):
        assert [member.name for member, _ in members(Stream(packed[: 3 * BLOCK]))]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_members() -> None:
    def many() -> Iterator[bytes]:
        header = tarfile.TarInfo("name" * 20)
        for number in range(20_000):
            header.mtime = number
            yield header.tobuf()
        yield bytes(BLOCK)

    class Headers:
        def __init__(self) -> None:
            self._left = many()

        def read(self, size: int = -1, /) -> bytes:
            assert size == BLOCK
            return next(self._left, b"")

    tracemalloc.start()
    try:
        assert sum(1 for _ in members(RawReader(Headers()))) == 20_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
