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
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

__all__ = ["compressed_strings", "decompressed"]

_MARK = b"LZSS string data decompression failed"  # the message of every module with such strings
# A first byte of flags, then what can be no reference to anything before.
_BEGINNING = re.compile(rb"(?=[%s][\t\n -~]{3})" % b"".join(re.escape(bytes((each | 7,))) for each in range(0, 256, 8)))
_TEXT = re.compile(rb"[\t\n -~]*")
_ENOUGH = 128  # letters: so much text is no accident
_FAR, _LONG = 0x80, 0x80  # bits of a reference's first two bytes


def compressed_strings(data: bytes | mmap.mmap) -> bytes:
    """All compressed text in ``data``, one string after another; empty where ``data`` is no module that has any."""
    if data.find(_MARK) < 0:
        return b""
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
