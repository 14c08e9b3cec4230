from __future__ import annotations

import gzip
import io
import random
import subprocess
import threading
import tracemalloc
import zlib
from itertools import repeat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannery.image import gzip as parallel
from cannery.image.gzip import BLOCK, GzipWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.image.hashing import Sink


pytestmark = pytest.mark.once


def compress(chunks: Iterable[bytes], sink: Sink, *, level: int = 6, workers: int | None = None) -> None:
    with GzipWriter(sink, level=level, workers=workers) as writer:
        for chunk in chunks:
            writer.write(chunk)


def compressed(chunks: Iterable[bytes], *, level: int = 6, workers: int | None = None) -> bytes:
    sink = io.BytesIO()
    compress(chunks, sink, level=level, workers=workers)
    return sink.getvalue()


def text(size: int, seed: int = 1) -> bytes:
    """Words in random order: data that compresses as program text does."""
    words = random.Random(seed).choices([b"def ", b"return ", b"self.", b"import ", b"layer", b"\n    "], k=size // 4)
    return b"".join(words)[:size].ljust(size)


SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 32 * 1024 + 1]


@pytest.mark.parametrize("size", SIZES)
def test_reads_back_in_python(size: int) -> None:
    data = text(size)
    assert gzip.decompress(compressed([data])) == data


@pytest.mark.parametrize("size", SIZES)
def test_the_gzip_program_reads_it_back(size: int) -> None:
    data = text(size)
    blob = compressed([data])
    subprocess.run(["gzip", "-t"], input=blob, check=True)
    assert subprocess.run(["gzip", "-dc"], input=blob, check=True, capture_output=True).stdout == data


@pytest.mark.parametrize("size", SIZES)
def test_is_one_member_that_ends_with_its_check_sum_and_size(size: int) -> None:
    data = text(size)
    blob = compressed([data])
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    assert inflater.decompress(blob[10:]) == data
    assert inflater.eof
    assert inflater.unused_data == zlib.crc32(data).to_bytes(4, "little") + size.to_bytes(4, "little")


def test_the_header_says_nothing_of_time_name_level_and_system() -> None:
    assert {compressed([b"x"], level=level)[:10] for level in range(1, 10)} == {b"\x1f\x8b\x08\0\0\0\0\0\0\xff"}


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 6, 9])
def test_any_number_of_workers_gives_the_same_bytes(level: int) -> None:
    data = text(9 * BLOCK + 17)
    assert len({compressed([data], level=level, workers=workers) for workers in (1, 2, 7)}) == 1


def test_the_way_the_input_is_cut_makes_no_difference() -> None:
    data = text(2 * BLOCK + 100)
    cuts = (10_007, BLOCK - 1, BLOCK, BLOCK + 1, len(data))
    assert len({compressed(data[at : at + cut] for at in range(0, len(data), cut)) for cut in cuts}) == 1


def test_random_bytes_grow_by_less_than_a_thousandth() -> None:
    data = random.Random(3).randbytes(3 * BLOCK + 5)
    blob = compressed([data])
    assert gzip.decompress(blob) == data
    assert len(blob) < len(data) * 1.001


def test_matches_reach_across_the_cuts() -> None:
    period = random.Random(4).randbytes(20_000)  # compresses only by what lies 20,000 bytes back
    data = (period * (4 * BLOCK // len(period) + 1))[: 4 * BLOCK]
    assert len(compressed([data])) < len(gzip.compress(data, 6)) + 1000


def test_a_higher_level_gives_fewer_bytes() -> None:
    data = text(BLOCK)
    sizes = [len(compressed([data], level=level)) for level in (0, 1, 9)]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_takes_any_bytes(kind: type[bytearray | memoryview]) -> None:
    sink = io.BytesIO()
    with GzipWriter(sink) as writer:
        assert writer.write(kind(b"some bytes")) == 10
    assert gzip.decompress(sink.getvalue()) == b"some bytes"


def test_what_was_written_may_be_overwritten_afterwards() -> None:
    sink, buffer = io.BytesIO(), bytearray(b"a" * BLOCK)
    with GzipWriter(sink) as writer:
        writer.write(buffer)
        buffer[:] = b"b" * BLOCK
        writer.write(buffer)
    assert gzip.decompress(sink.getvalue()) == b"a" * BLOCK + b"b" * BLOCK


@given(chunks=st.lists(st.binary(max_size=600)), workers=st.integers(1, 4), level=st.integers(0, 9))
@settings(deadline=None, max_examples=60)
def test_whatever_is_written_reads_back(chunks: list[bytes], workers: int, level: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "BLOCK", 64)  # so that small inputs have many blocks
        assert gzip.decompress(compressed(chunks, level=level, workers=workers)) == b"".join(chunks)


class Refusing:
    """A sink on a full disk: it takes so many bytes and no more."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(28, "No space left on device")


def test_an_error_of_the_sink_comes_out_and_no_thread_stays() -> None:
    noise = random.Random(5).randbytes(9 * BLOCK)
    with pytest.raises(OSError, match="No space left"):
        compress([noise], Refusing(100_000), workers=2)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gzip")]


def test_an_error_of_a_worker_comes_out() -> None:
    with pytest.raises(ValueError, match="Invalid initialization option"):
        compressed([b"x" * BLOCK], level=99)


def test_after_an_error_the_member_is_not_a_whole_one() -> None:
    def interrupted() -> Iterator[bytes]:
        yield text(2 * BLOCK)
        raise KeyboardInterrupt

    sink = io.BytesIO()
    with pytest.raises(KeyboardInterrupt):
        compress(interrupted(), sink)
    with pytest.raises(EOFError):
        gzip.decompress(sink.getvalue())


class Counting:
    """A sink that keeps nothing but the count of its bytes."""

    size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.size += len(data)


@pytest.mark.slow
def test_memory_stays_at_a_few_blocks_whatever_the_size() -> None:
    chunk, sink = random.Random(6).randbytes(64 * 1024), Counting()
    tracemalloc.start()
    try:
        compress(repeat(chunk, 128 * BLOCK // len(chunk)), sink, workers=2, level=1)  # 64 MiB
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sink.size > 100 * BLOCK  # it is noise: nothing was saved by compressing it
    assert peak < 16 * BLOCK
