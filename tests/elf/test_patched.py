from __future__ import annotations

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannery.elf.patched import Patch, Patched
from cannery.image.content import Inline

pytestmark = pytest.mark.once

DIGITS = Inline(b"0123456789")


def read(content: Patched) -> bytes:
    with content.open() as stream:
        return stream.read()


def test_patches_are_written_over_the_source() -> None:
    assert read(Patched(DIGITS, 10, (Patch(2, 4, b"ab"), Patch(9, 10, b"z")))) == b"01ab45678z"


def test_the_rest_of_a_patch_is_zeros() -> None:
    assert read(Patched(DIGITS, 10, (Patch(3, 7, b"a"),))) == b"012a\0\0\x00789"


def test_a_later_patch_wins() -> None:
    assert read(Patched(DIGITS, 10, (Patch(0, 9), Patch(1, 2, b"x")))) == b"\0x\0\0\0\0\0\0\x009"


def test_the_source_is_cut_at_the_size() -> None:
    assert read(Patched(DIGITS, 4, ())) == b"0123"


def test_can_be_read_from_anywhere() -> None:
    with Patched(DIGITS, 8, (Patch(5, 6, b"x"),)).open() as stream:
        assert stream.seek(4) == 4
        assert stream.read(3) == b"4x6"
        assert stream.seek(-2, os.SEEK_CUR) == 5
        assert stream.read(1) == b"x"
        assert stream.seek(-1, os.SEEK_END) == 7
        assert stream.read() == b"7"
        assert stream.tell() == 8


def test_a_place_before_the_first_byte_is_refused() -> None:
    with Patched(DIGITS, 8, ()).open() as stream, pytest.raises(OSError, match="Invalid argument"):
        stream.seek(-1)


def test_closing_closes_the_source() -> None:
    source = io.BytesIO(b"abc")

    class Opened:
        size = 3

        def open(self) -> io.BytesIO:
            return source

    Patched(Opened(), 3, ()).open().close()
    assert source.closed


@given(
    source=st.binary(max_size=64),
    patches=st.lists(st.tuples(st.integers(0, 64), st.integers(0, 16), st.binary(max_size=20)), max_size=4),
    step=st.integers(1, 20),
)
def test_any_patches_read_in_any_steps(source: bytes, patches: list[tuple[int, int, bytes]], step: int) -> None:
    expected = bytearray(source)
    for start, size, data in patches:
        new = data[:size].ljust(size, b"\0")[: max(0, len(source) - start)]
        expected[start : start + len(new)] = new
    content = Patched(Inline(source), len(source), tuple(Patch(at, at + size, data) for at, size, data in patches))
    with content.open() as stream:
        assert b"".join(iter(lambda: stream.read(step), b"")) == bytes(expected)
