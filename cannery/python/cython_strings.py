"""The strings of an extension module where Cython has compressed them, as it does from 3.2 on.

They lie end to end, sorted, and nothing beside them says where one ends: names that a module imports are found within
them. The format is that of ``DecompressString_LZSS`` in Cython's ``Utility/StringTools.c``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap

__all__ = ["compressed_strings"]

_MARK = b"LZSS string data decompression failed"  # what such a module says where it can't unpack them
# A first byte of flags, then what can be no reference to anything before.
_BEGINNING = re.compile(rb"(?=[%s][\t\n -~]{3})" % b"".join(re.escape(bytes((each | 7,))) for each in range(0, 256, 8)))
_TEXT = re.compile(rb"[\t\n -~]*")
_ENOUGH = 128  # letters that are no accident
_FAR, _LONG = 0x80, 0x80  # bits of a reference's first two bytes


def compressed_strings(data: bytes | mmap.mmap) -> bytes:
    """All that is compressed in ``data``, one after another; nothing where no module says that it is."""
    if data.find(_MARK) < 0:
        return b""
    found: list[bytes] = []
    end = 0
    for match in _BEGINNING.finditer(data):
        if match.start() >= end and len(_text(data, match.start(), _ENOUGH)[0]) >= _ENOUGH:
            text, end = _text(data, match.start(), len(data))
            found.append(text)
    return b"\n".join(found)


def _text(data: bytes | mmap.mmap, at: int, most: int) -> tuple[bytes, int]:
    """What is compressed at ``at``, as far as it's text, up to some more than ``most`` letters; and where that ends."""
    text = bytearray()
    checked = 0
    while at + 25 < len(data) and len(text) < most:
        flags, at = data[at], at + 1
        for bit in range(8):
            if flags >> bit & 1:
                text.append(data[at])
                at += 1
                continue
            low, high, at = data[at], data[at + 1], at + 2
            if not low & _FAR:
                back, length = low, high
            elif not high & _LONG:
                back, length = 0x80 + (high << 2 & 0x180 | low & 0x7F), high & 0x1F
            else:
                back, length, at = 0x80 + ((high & 0x7F) << 7 | low & 0x7F), data[at], at + 1
            start = len(text) - back - length - 3
            if start < 0:
                return bytes(text), at
            text += text[start : start + length + 3]
        match = _TEXT.match(text, checked)
        checked = match.end() if match else checked
        if checked < len(text):
            return bytes(text[:checked]), at
    return bytes(text), at
