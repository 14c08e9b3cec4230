"""Texts that are spelt out for people: dumps by ``xxd`` and ``hexdump -C``, words between marks of an office's XML."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["dumped_in", "office_text"]

# A line of a dump: an offset, digits, and the same as letters.
_DUMPED: Final = re.compile(
    rb"^[0-9A-Fa-f]{6,16}"
    rb"(?:: (?P<xxd>(?:(?:[0-9A-Fa-f]{2}){1,8} ){1,16}) | {1,2}(?P<hexdump>(?:[0-9A-Fa-f]{2} {1,2}){1,16}) *[|>])"
    rb"[^\n]*$",
    re.MULTILINE,
)
# Ends of paragraphs and of cells (ECMA-376, WordprocessingML and DrawingML; OpenDocument 1.3, part 3)
_ENDS: Final = re.compile(rb"</(?:w:p|w:tc|a:p|text:p|table:table-cell)>")
_MARK: Final = re.compile(rb"<[^<>]*>")
_WORDS: Final = (b"</w:t>", b"</a:t>", b"</text:span>")


def dumped_in(window: bytes) -> Iterator[tuple[int, bytes]]:
    """What each run of lines of a dump in ``window`` shows, with its place."""
    start, stop, digits = 0, -1, b""
    for match in _DUMPED.finditer(window):
        if match.start() != stop + 1:
            yield from _shown(start, digits)
            start, digits = match.start(), b""
        digits += match["xxd"] or match["hexdump"]
        stop = match.end()
    yield from _shown(start, digits)


def _shown(start: int, digits: bytes) -> Iterator[tuple[int, bytes]]:
    if digits:
        yield start, bytes.fromhex(digits.decode("ascii"))


def office_text(window: bytes) -> bytes:
    """The text of ``window``, a part of a document of an office, a paragraph to each line; empty for anything else.

    A program that has corrected or coloured a word keeps its parts between marks.
    """
    if not any(word in window for word in _WORDS):
        return b""
    text = _MARK.sub(b"", _ENDS.sub(b"\n", window))
    return html.unescape(text.decode("utf-8", "replace")).encode()
