"""Names that Cython has compressed are found."""

from __future__ import annotations

import pytest
from Cython.LZSS import lzss_compress

from cannery.image.content import Inline
from cannery.imports.extension import read_binary
from cannery.python.cython_strings import compressed_strings

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


def test_modules_that_are_named_there_count_and_words_of_documentation_do_not() -> None:
    mentions = read_binary(Inline(_module(_STRINGS)), "numpy.random.bit_generator", ["numpy", "pytz"])
    assert "secrets" in mentions.binary
    assert not {"numbers", "pytz", "numpy"} & mentions.binary
    assert any(each.startswith("numpy.random._pickle") for each in mentions.dotted)
