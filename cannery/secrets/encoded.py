"""Texts that are encoded: in UTF-16 and UTF-32, as Windows writes them, in Base64, in digits, and as URLs have them."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
from itertools import islice
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from cannery.secrets.sieve import sift
from cannery.secrets.spelt_out import dumped_in, office_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["begins_source_map", "begins_zip", "decoded_runs", "encoding_of", "is_packed"]

_BOMS: Final = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LOOKED_AT: Final = 512  # bytes, to tell an encoding
_RUN: Final = re.compile(
    rb"(?<![A-Za-z0-9+/_-])"
    rb"(?:[A-Za-z0-9+/]{20,}(?:(?:\r?\n|\\n)[ \t]*[A-Za-z0-9+/]{4,})*={0,2}|[A-Za-z0-9_-]{20,}={0,2})"
)
_HEX: Final = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9a-f]{40,}|[0-9A-F]{40,})(?![0-9A-Za-z])")
_ESCAPES: Final = re.compile(rb"(?:\\x[0-9A-Fa-f]{2}){16,}")
_HTML: Final = re.compile(rb"[^\n]{0,200}(?:&#39;|&quot;)[^\n]{0,400}")
_MOST_LINES: Final = 200
_SIGN: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_SOME_SIGNS: Final = 3
_LONGEST_LETTER: Final = 4  # bytes (RFC 3629)
_DIGITS: Final = frozenset(b"0123456789")
_WHITE: Final = re.compile(rb"\s+|\\n")
_KEYS: Final = (b"\x30\x82", b"\x30\x77", b"\xfe\xed\xfe\xed")  # DER twice, Java's keystores
_MAPPED: Final = re.compile(rb"\"sourcesContent\"\s*:\s*\[\s*\"")
_ZIP: Final = b"PK\3\4"
_ZIPAPP: Final = re.compile(rb"#![^\n]{0,200}\nPK\x03\x04")  # PEP 441
# zip, 7z, gzip, xz, zstd, ar, two forms of cpio, RPM
_PACKED: Final = (
    _ZIP,
    b"7z\xbc\xaf\x27\x1c",
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


def begins_source_map(content: bytes) -> bool:
    """True for the beginning of a source map with the sources themselves in it (ECMA-426)."""
    return _MAPPED.search(content) is not None


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


def decoded_runs(window: bytes) -> Iterator[tuple[int, str, bytes]]:
    """The contents that are encoded in ``window``, each with its place and the name of the encoding.

    They are texts, keys and archives: in Base64, in hexadecimal digits, as URLs have them, and as code has them.
    """
    sifted = sift(window)
    if any(map(_is_mixed, sifted.split(b"\n"))):  # true of few, and much quicker to tell
        yield from ((place, "Base64", content) for place, content in _of_base64(window))
    yield from ((place, "hexadecimal digits", content) for place, content in _of_hex(window, sifted))
    if b"%" in sifted:
        yield from ((place, "URL encoding", content) for place, content in _of_urls(window, sifted))
    if b"&#39;" in window or b"&quot;" in window:
        for match in islice(_HTML.finditer(window), _MOST_LINES):
            yield match.start(), "HTML", html.unescape(match[0].decode("utf-8", "replace")).encode()
    yield from ((place, "a dump", content) for place, content in dumped_in(window) if _is_worth(content))
    if text := office_text(window):
        yield 0, "an office's XML", text
    if b"\\x" in window:
        for match in _ESCAPES.finditer(window):
            yield match.start(), "escapes", bytes.fromhex(match[0].replace(b"\\x", b"").decode("ascii"))


def _of_base64(window: bytes) -> Iterator[tuple[int, bytes]]:
    for match in _RUN.finditer(window):
        if b"-----" in window[max(0, match.start() - 8) : match.start()]:
            continue  # what PEM holds is told by its first line
        data = _WHITE.sub(b"", match[0]).replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
        for skipped in range(1 if match.start() else 4):  # a run may have begun before the window
            content = _from_base64(data[skipped:])
            if _is_worth(content):
                yield match.start(), content
                break


def _from_base64(data: bytes) -> bytes:
    try:
        return base64.b64decode(data[: len(data) - (len(data) % 4 == 1)] + b"=" * (-len(data) % 4))
    except binascii.Error:
        return b""


def _of_hex(window: bytes, sifted: bytes) -> Iterator[tuple[int, bytes]]:
    for match in _HEX.finditer(sifted):
        digits = match[0]
        content = bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))
        if _is_worth(content):
            yield window.find(digits), content


def _of_urls(window: bytes, sifted: bytes) -> Iterator[tuple[int, bytes]]:
    for run in sifted.split(b"\n"):
        if run.count(b"%") >= _SOME_SIGNS and len(_SIGN.findall(run)) >= _SOME_SIGNS:
            content = unquote_to_bytes(run)
            if _is_text(content):
                yield window.find(run), content


def _is_worth(content: bytes) -> bool:
    """True for what is looked at: an archive, a key, a text."""
    return bool(content) and (is_packed(content) or content.startswith(_KEYS) or _is_text(content))


def _is_mixed(run: bytes) -> bool:
    """True for letters of both cases and digits, as nearly all Base64 is of that length, and no name in code."""
    return not (run.islower() or run.isupper() or _DIGITS.isdisjoint(run))


def _is_text(content: bytes) -> bool:
    """True for a text, which may begin and end in the middle of a letter."""
    lead = next((place for place in range(_LONGEST_LETTER) if content[place : place + 1] < b"\x80"), 0)
    try:
        text, _ = codecs.utf_8_decode(content[lead:], "strict", False)  # noqa: FBT003  # takes no keywords
    except UnicodeDecodeError:
        return bool(encoding_of(content))
    return sum(map(str.isprintable, text)) + text.count("\n") + text.count("\t") >= _LEAST_TEXT * len(text)
