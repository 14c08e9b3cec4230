"""What packs an executable gives the same bytes whatever the machine has."""

from __future__ import annotations

import pytest

from cannery.executable.static.packing import LARGE, by_zstd

pytestmark = pytest.mark.once


@pytest.mark.slow
def test_a_large_part_is_packed_alike_by_one_processor_and_by_several() -> None:
    zstandard = pytest.importorskip("zstandard")
    data = bytes(range(256)) * (LARGE // 256 + 1)  # two jobs of zstd's and a part of a third
    packed = by_zstd(data)
    assert zstandard.ZstdCompressor(level=19, threads=1, write_checksum=False).compress(data) == packed
    assert zstandard.ZstdCompressor(level=19, threads=3, write_checksum=False).compress(data) == packed
    assert zstandard.ZstdDecompressor().decompress(packed) == data
