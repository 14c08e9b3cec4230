"""The texts and attachments of PDF files (ISO 32000-1): what their streams hold, and what pages show.

A page's text is seen where its letters are those of ASCII or close to it; fonts that number their glyphs otherwise
hide it.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.secrets.budget import Budget

__all__ = ["inside_pdf"]

_PIECE: Final = 1 << 16
_LARGEST: Final = 1 << 23  # bytes of a stream, packed and unpacked: those of texts and attachments are smaller
_LONGEST_DICTIONARY: Final = 1 << 10
_BEGINS: Final = re.compile(rb"(?<!end)stream(\r?\n)")  # ISO 32000-1, section 7.3.8
_ENDS: Final = b"endstream"
_FILTER: Final = re.compile(
    rb"/(Flate|ASCII85|ASCIIHex|LZW|RunLength|DCT|JPX|JBIG2|CCITTFax|Crypt)Decode|/(Fl|A85|AHx)\b"
)
_NO_TEXT: Final = (b"/Length1", b"/FontFile", b"/Subtype/Image", b"/Subtype /Image", b"/Type1C")
_SHOWN: Final = re.compile(  # strings, and what of a page's operators tells apart words and lines (section 9.4)
    rb"\((?P<text>(?:[^()\\]|\\[\s\S]){0,4000})\)|<(?P<hex>[0-9A-Fa-f\s]{2,8000})>|(?P<gap>-\d{3,5}(?:\.\d+)?)(?=\s*[(<])"
    rb"|(?P<line>\b(?:T[dDm*]|ET)\b|')"
)
_ESCAPED: Final = re.compile(rb"\\(?:([0-7]{1,3})|(\r?\n)|([\s\S]))")
_LETTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"", b"f": b""}
_WIDE: Final = 200  # thousandths of a letter's size: a space


def inside_pdf(stream: BinaryIO, budget: Budget) -> Iterator[tuple[str, BinaryIO]]:
    """What lies in the streams of a PDF file."""
    pending, number = b"", 0
    while piece := stream.read(_PIECE):
        pending += piece
        while (begun := _BEGINS.search(pending)) is not None:
            told = pending[max(0, begun.start() - _LONGEST_DICTIONARY) : begun.start()]
            packed, pending = _until_end(pending[begun.end() :], stream)
            number += 1
            if not budget.next_member():
                return
            if content := _content(packed, told[max(0, told.rfind(b"obj")) :]):
                yield f"stream {number}", io.BytesIO(content)
        pending = pending[-_LONGEST_DICTIONARY:]


def _until_end(begun: bytes, stream: BinaryIO) -> tuple[bytes, bytes]:
    """The bytes before the end of a stream, and those behind it; none before for one that is too large."""
    kept = [begun]
    size, edge = len(begun), begun
    while (end := edge.find(_ENDS)) < 0 and (piece := stream.read(_PIECE)):
        size += len(piece)
        kept = [*kept, piece] if size <= _LARGEST else kept[-1:]
        edge = edge[-len(_ENDS) :] + piece
    whole = b"".join(kept) if size <= _LARGEST else b""
    return whole[: whole.find(_ENDS)], edge[end + len(_ENDS) :] if end >= 0 else b""


def _content(data: bytes, told: bytes) -> bytes:
    """What a stream holds, by the dictionary before it; nothing where that is a picture, a font or damaged."""
    if any(each in told for each in _NO_TEXT):
        return b""
    for match in _FILTER.finditer(told):
        try:
            data = _decoded(match[1] or match[2], data)
        except (ValueError, zlib.error, binascii.Error):
            return b""
    return _shown(data) if b"Tj" in data or b"TJ" in data else data


def _decoded(name: bytes, data: bytes) -> bytes:
    match name:
        case b"Flate" | b"Fl":
            return zlib.decompressobj().decompress(data, _LARGEST)
        case b"ASCII85" | b"A85":
            return base64.a85decode(data.strip().removesuffix(b"~>"))
        case b"ASCIIHex" | b"AHx":
            return bytes.fromhex(data.partition(b">")[0].decode("ascii"))
    return b""


def _shown(page: bytes) -> bytes:
    """The text that a page shows, a line to each of its lines."""
    parts = []
    for match in _SHOWN.finditer(page):
        if match["text"] is not None:
            parts.append(_ESCAPED.sub(_unescaped, match["text"]))
        elif match["hex"] is not None:
            digits = b"".join(match["hex"].split())
            parts.append(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii")))
        elif match["line"] is not None:
            parts.append(b"\n")
        elif float(match["gap"]) < -_WIDE:
            parts.append(b" ")
    return b"".join(parts)


def _unescaped(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return bytes((int(match[1], 8) & 0xFF,))
    return b"" if match[2] is not None else _LETTERS.get(match[3], match[3])
