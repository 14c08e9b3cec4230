"""An xz file of several blocks is read by everything that reads xz, and is the same for the same content."""

from __future__ import annotations

import io
import lzma
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cannery.executable.onefile.xz import XzBlock, write_xz

if TYPE_CHECKING:
    from pathlib import Path

PLAIN: list[dict[str, Any]] = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 8 << 20}]
CODE = [{"id": lzma.FILTER_X86}, *PLAIN]
CHAINS = (PLAIN, CODE, [{**PLAIN[0], "lc": 4, "pb": 0, "dict_size": 3 << 19}])


def packed(folder: Path, *parts: bytes, told: list[int] | None = None) -> bytes:
    source, stream, position = folder / "source", io.BytesIO(), 0
    source.write_bytes(b"".join(parts))
    blocks = []
    for number, part in enumerate(parts):
        blocks.append(XzBlock(position, len(part), CHAINS[number % len(CHAINS)]))
        position += len(part)
    write_xz(source, blocks, stream, (told if told is not None else []).append)
    return stream.getvalue()


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_again(tmp_path: Path, parts: list[bytes]) -> None:
    assert lzma.decompress(packed(tmp_path, *parts)) == b"".join(parts)


def test_large_blocks_give_the_same_bytes_again_and_tell_how_far_they_are(tmp_path: Path) -> None:
    parts = (b"code \xe8\1\0\0\0" * 400_000, bytes(range(256)) * 9_000, b"")
    told: list[int] = []
    once = packed(tmp_path, *parts, told=told)
    assert lzma.decompress(once) == b"".join(parts)
    assert packed(tmp_path, *parts) == once
    assert told == sorted(told)
    assert told[-1] == sum(map(len, parts))


def test_a_damaged_block_is_noticed_by_its_check(tmp_path: Path) -> None:
    once = bytearray(packed(tmp_path, b"first", b"second"))
    once[once.index(b"first")] ^= 1
    with pytest.raises(lzma.LZMAError):
        lzma.decompress(once)


@pytest.mark.skipif(not shutil.which("xz"), reason="there is no xz")
def test_xz_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "archive.xz"
    path.write_bytes(packed(tmp_path, b"first" * 1000, b"second" * 1000, b"third"))
    done = subprocess.run(["xz", "--robot", "--list", path], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split("\t")[1:3] == ["1", "3"]  # streams, blocks
    subprocess.run(["xz", "--test", path], check=True)
