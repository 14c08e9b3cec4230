"""Texts that are encoded: in UTF-16 and UTF-32, as Windows writes them, and in Base64."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import TYPE_CHECKING, Final

from cannery.secrets.sieve import sift

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["begins_zip", "decoded_runs", "encoding_of", "is_packed"]

_BOMS: Final = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LOOKED_AT: Final = 512  # bytes, to tell an encoding
_RUN: Final = re.compile(
    rb"(?<![A-Za-z0-9+/_-])"
    rb"(?:[A-Za-z0-9+/]{20,}(?:(?:\r?\n|\\n)[ \t]*[A-Za-z0-9+/]{4,})*={0,2}|[A-Za-z0-9_-]{20,}={0,2})"
)
_DIGITS: Final = frozenset(b"0123456789")
_WHITE: Final = re.compile(rb"\s+|\\n")
_KEYS: Final = (b"\x30\x82", b"\x30\x77", b"\xfe\xed\xfe\xed")  # DER twice, Java's keystores
_ZIP: Final = b"PK\3\4"
_ZIPAPP: Final = re.compile(rb"#![^\n]{0,200}\nPK\x03\x04")  # PEP 441
# zip, gzip, xz, zstd, ar, two forms of cpio, RPM
_PACKED: Final = (
    _ZIP,
    b"\x1f\x8b",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"!<arch>\n",
    b"070701",
    b"070702",
    b"\xed\xab\xee\xdb",
)
_LEAST_TEXT: Final = 0.9  # the share of letters that people read


def is_packed(head: bytes) -> bool:
    """True for the beginning of an archive, or of what is compressed."""
    bzip2 = head.startswith(b"BZh") and head[3:4].isdigit()
    is_archive = head[257:262] == b"ustar" or begins_zip(head)  # that of tar (POSIX.1-1988)
    return head.startswith(_PACKED) or bzip2 or is_archive


def begins_zip(head: bytes) -> bool:
    """True for the beginning of a zip archive, and of one that a line for the shell stands before."""
    return head.startswith(_ZIP) or _ZIPAPP.match(head) is not None


def encoding_of(head: bytes) -> str:
    """The encoding of a text whose letters have two bytes or four, as Windows writes it; empty for any other."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    looked = head[: _LOOKED_AT & ~1]
    for name, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros, others = looked[first::2], looked[1 - first :: 2]
        if len(looked) >= 16 and zeros.count(0) > 0.9 * len(zeros) and others.count(0) < 0.1 * len(others):  # noqa: PLR2004
            return name
    return ""


def decoded_runs(window: bytes) -> Iterator[tuple[int, bytes]]:
    """The contents that Base64 holds in ``window``, each with its place: texts, keys, archives."""
    if not any(map(_is_mixed, sift(window).split(b"\n"))):
        return  # true of most, and much quicker to tell
    for match in _RUN.finditer(window):
        if b"-----" in window[max(0, match.start() - 8) : match.start()]:
            continue  # what PEM holds is told by its first line
        data = _WHITE.sub(b"", match[0]).replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
        try:
            content = base64.b64decode(data[: len(data) - (len(data) % 4 == 1)] + b"=" * (-len(data) % 4))
        except binascii.Error:
            continue
        if is_packed(content) or content.startswith(_KEYS) or _is_text(content):
            yield match.start(), content


def _is_mixed(run: bytes) -> bool:
    """True for letters of both cases and digits, as nearly all Base64 is of that length, and no name in code."""
    return not (run.islower() or run.isupper() or _DIGITS.isdisjoint(run))


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return bool(encoding_of(content))
    return sum(map(str.isprintable, text)) + text.count("\n") + text.count("\t") >= _LEAST_TEXT * len(text)
