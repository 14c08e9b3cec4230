"""Names that Cython has compressed are found."""

from __future__ import annotations

import bz2
import zlib
from functools import partial
from typing import TYPE_CHECKING

import pytest
from Cython.LZSS import lzss_compress

from cannery.image.content import Inline
from cannery.imports.extension import read_binary
from cannery.python.cython_strings import compressed_strings, decompressed

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.once

_NAMES = (
    b"".join(sorted(f"name_{each:03}".encode() for each in range(40)))
    + b"numpy.random._picklepickleradiusrandbitssecretsself"
)
_STRINGS = b"\n    Numbers, and what they are for.\n    " * 9 + _NAMES + b"seed_sequence_of_everything"


def _module(strings: bytes, mark: bytes = b"LZSS string data decompression failed") -> bytes:
    return b"".join((bytes(range(256)) * 9, mark, b"\0\0\7abc\0", lzss_compress(strings), bytes(range(256))))


def test_all_that_is_compressed_comes_out() -> None:
    assert _STRINGS in compressed_strings(_module(_STRINGS))
    assert compressed_strings(_module(_STRINGS, b"nothing is compressed")) == b""
    assert compressed_strings(_module(_STRINGS)[:-900]) in _STRINGS


@pytest.mark.parametrize("compress", [partial(zlib.compress, level=9), bz2.compress])
def test_streams_of_zlib_and_bzip2_come_out_where_a_module_unpacks_them(compress: Callable[[bytes], bytes]) -> None:
    mark = b"Failed to import '%.20s.decompress' - cannot initialise module strings. String compression was configured"
    noise = b"x\xda" + b"BZh91AY&SY" + bytes(range(256))
    packed = compress(_STRINGS)
    assert compressed_strings(noise + mark + noise + packed + noise) == _STRINGS
    assert compressed_strings(noise + packed + noise) == b""
    assert compressed_strings(noise + mark + packed[:-9]) == b""


def test_text_comes_out_piece_by_piece_as_far_as_there_is_data() -> None:
    packed = lzss_compress(_STRINGS)
    sizes = [(len(text), at) for text, at in decompressed(packed, 0)]
    assert [*sizes] == sorted(sizes)
    assert _STRINGS in bytes([*decompressed(packed, 0)][-1][0])
    assert [*decompressed(b"", 0)] == []
    assert [*decompressed(b"\0\5\5", 0)] == []  # what would lie before the beginning


def test_references_reach_as_far_as_the_format_lets_them() -> None:
    far = bytes(range(32, 127)) * 180
    for distance in (0, 200, 0x1FF, 0x4000, len(far) - 40):
        text = far + far[len(far) - distance - 40 : len(far) - distance] if distance else far + far[-40:]
        packed = lzss_compress(text)
        assert bytes([*decompressed(packed, 0)][-1][0]).startswith(text)


def test_modules_that_are_named_there_count_and_words_of_documentation_do_not() -> None:
    mentions = read_binary(Inline(_module(_STRINGS)), "numpy.random.bit_generator", ["numpy", "pytz"])
    assert "secrets" in mentions.binary
    assert not {"numbers", "pytz", "numpy"} & mentions.binary
    assert any(each.startswith("numpy.random._pickle") for each in mentions.dotted)
