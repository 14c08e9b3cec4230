"""Compressed strings of extension modules, as Cython writes them from 3.2 on.

Unpacked, all strings of a module lie end to end, sorted, and nothing tells where one ends: the names of imports are
found within them. The format is an LZSS of Cython's own (``DecompressString_LZSS`` in ``Utility/StringTools.c``, and
``Cython/LZSS.py``): a byte of flags, the lowest bit first, then for each flag a byte of text (1) or a reference (0). A
reference repeats earlier text, and has the distance from the end of that to the present end, and its length less three.

======  ==============================  =====================================================
bytes   told by                         distance, length
======  ==============================  =====================================================
2       the first is below 0x80         the first; the second
2       the second is below 0x80        0x80 + bits 5 and 6 of the second before 7 of the first; 5 bits of the second
3                                       0x80 + 7 bits of the second before 7 of the first; the third
======  ==============================  =====================================================

``tests/python/test_cython_strings.py`` compresses with the Cython at hand, and fails where that has changed the format.

Modules that are compiled with ``CYTHON_COMPRESS_STRINGS`` have one stream of zlib or bzip2 in the place of that, which
they unpack by Python's own module.
"""

from __future__ import annotations

import bz2
import re
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["compressed_strings", "decompressed"]

_MARK = b"LZSS string data decompression failed"  # the message of every module with such strings
_MARK_OF_STREAMS = b"cannot initialise module strings"  # the message of modules that unpack by one of Python's
# The beginning of a stream, as Cython has it made -> what unpacks it (RFC 1950, 2.2; bzip2's own manual, 4)
_STREAMS: Mapping[bytes, Callable[[], zlib._Decompress | bz2.BZ2Decompressor]] = {
    b"x\xda": zlib.decompressobj,
    b"BZh91AY&SY": bz2.BZ2Decompressor,
}
# A first byte of flags, then what can be no reference to anything before.
_BEGINNING = re.compile(rb"(?=[%s][\t\n -~]{3})" % b"".join(re.escape(bytes((each | 7,))) for each in range(0, 256, 8)))
_TEXT = re.compile(rb"[\t\n -~]*")
_CHUNK = 1 << 16
_ENOUGH = 128  # letters: so much text is no accident
_FAR, _LONG = 0x80, 0x80  # bits of a reference's first two bytes


def compressed_strings(data: bytes | mmap.mmap) -> bytes:
    """All compressed text in ``data``, one string after another; empty where ``data`` is no module that has any."""
    found = [_by_lzss(data)] if data.find(_MARK) >= 0 else []
    if data.find(_MARK_OF_STREAMS) >= 0:
        found += _streams(data)
    return b"\n".join(found)


def _streams(data: bytes | mmap.mmap) -> Iterator[bytes]:
    """What each whole stream in ``data`` holds, whose checksum is right."""
    for begin, decompressor in _STREAMS.items():
        for match in re.finditer(re.escape(begin), data):
            stream, at = decompressor(), match.start()
            with suppress(zlib.error, OSError, EOFError):
                text = b""
                while not stream.eof and at < len(data):
                    text += stream.decompress(data[at : at + _CHUNK])
                    at += _CHUNK
                if stream.eof:
                    yield text


def _by_lzss(data: bytes | mmap.mmap) -> bytes:
    """All text in ``data`` that is compressed by Cython's own code."""
    found: list[bytes] = []
    end = 0
    for match in _BEGINNING.finditer(data):
        if match.start() >= end and len(_text(data, match.start(), _ENOUGH)[0]) >= _ENOUGH:
            text, end = _text(data, match.start(), len(data))
            found.append(text)
    return b"\n".join(found)


def decompressed(data: bytes | mmap.mmap, at: int) -> Iterator[tuple[bytearray, int]]:
    """After each piece of what is compressed at ``at``: the text so far, and the place of the next piece.

    The format has no end mark. The pieces end where ``data`` does, or at a reference to before the beginning; a caller
    stops earlier, where the text is none.
    """
    text = bytearray()
    with suppress(IndexError):
        while True:
            flags, at = data[at], at + 1
            for bit in range(8):
                if flags >> bit & 1:
                    text.append(data[at])
                    at += 1
                else:
                    back, length, at = _reference(data, at)
                    start = len(text) - back - length
                    if start < 0:
                        return
                    text += text[start : start + length]
                yield text, at


def _reference(data: bytes | mmap.mmap, at: int) -> tuple[int, int, int]:
    """The distance and the length of a reference at ``at``, and the place of the next piece."""
    low, high = data[at], data[at + 1]
    if not low & _FAR:
        return low, high + 3, at + 2
    if not high & _LONG:
        return 0x80 + (high << 2 & 0x180 | low & 0x7F), (high & 0x1F) + 3, at + 2
    return 0x80 + ((high & 0x7F) << 7 | low & 0x7F), data[at + 2] + 3, at + 3


def _text(data: bytes | mmap.mmap, at: int, most: int) -> tuple[bytes, int]:
    """The text that is compressed at ``at``, some more than ``most`` letters at most, and the place behind it."""
    text, end, checked = bytearray(), at, 0
    for piece in decompressed(data, at):
        text, end = piece
        match = _TEXT.match(text, checked)
        checked = match.end() if match else checked
        if checked < len(text) or checked >= most:
            break
    return bytes(text[:checked]), end
