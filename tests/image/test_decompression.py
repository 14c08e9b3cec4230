"""Compressed streams, each told by its beginning."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import TYPE_CHECKING

import pytest
import zstandard

from cannery.errors import ImageError
from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.image.hashing import pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from cannery.image.decompression import Compression

pytestmark = pytest.mark.once

DATA = b"as it was " * 10_000
COMPRESSED: dict[Compression, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


@pytest.mark.parametrize("compression", COMPRESSED)
def test_what_is_compressed_is_told_by_its_beginning_and_read(compression: Compression) -> None:
    data = COMPRESSED[compression](DATA)
    assert compression_of(data[:8]) == compression
    assert unzipped(io.BytesIO(data), compression).read() == DATA


@pytest.mark.parametrize(
    ("compression", "damage"),
    [(name, damage) for name in ("gzip", "xz", "bzip2") for damage in ("cut", "garbage")] + [("zstd", "garbage")],
)
def test_damage_is_an_error_that_names_the_whole_and_its_place(compression: Compression, damage: str) -> None:
    data = COMPRESSED[compression](DATA)
    broken = data[:-5] if damage == "cut" else data[:12] + b"garbage " * 10
    stream = unzipped(io.BytesIO(broken), compression)
    with pytest.raises(ImageError, match="the layer 'app' can't be read") as raised, undamaged("the layer 'app'", "x"):
        assert [*pieces(stream, 1000)]
    assert raised.value.evidence.startswith("x: ")


def test_errors_of_the_system_are_no_damage() -> None:
    with pytest.raises(FileNotFoundError), undamaged("the layer"):
        raise FileNotFoundError(2, "there is none")
