"""Which file of a layer a change of its compressed bytes has met: a blob that isn't what its digest says."""

from __future__ import annotations

import posixpath
import zlib
from typing import TYPE_CHECKING, Final

from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.image.tar import members
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.image.hashing import Readable

__all__ = ["damage_of"]

_PIECE: Final = 1 << 12  # compressed bytes
_GZIP: Final = 31  # zlib's word for it: a header and a checksum of gzip's around
_BLOCK: Final = 512  # bytes: what an archive's members begin at multiples of (pax, POSIX.1-2001)


def damage_of(right: Path, there: Readable) -> str:
    """What is other in the layer ``there`` than in the one in the file ``right``; empty where nobody can tell.

    Both are archives that gzip has compressed. What was read before the first byte that differs is the same, so that
    byte lies in one of the right archive's files; what follows it may differ as well.
    """
    with explained(right, "read"), right.open("rb") as file:
        if compression_of(file.peek(8)) != "gzip":
            return ""
        place = _first_difference(_inflated(file), _inflated(there))
    if place is None:
        return "all of its files are the same: what was changed lies around them"
    with explained(right, "read"), right.open("rb") as file, undamaged(str(right), str(right)):
        for member, content in members(unzipped(file, "gzip")):
            size = member.size if content is not None else 0
            if place < member.offset_data + size + -size % _BLOCK:
                path = posixpath.normpath(f"/{member.name.lstrip('/')}")
                at = place - member.offset_data
                return f"the first byte that differs is of {path}" + (f", at {at:,}" if at >= 0 else ", in its header")
    return "the first byte that differs lies behind all of its files"


def _first_difference(one: Iterator[bytes], other: Iterator[bytes]) -> int | None:
    """The place of the first byte that isn't the same in both; None where all are."""
    done, rest = 0, b""
    for data in one:
        while len(rest) < len(data) and (more := next(other, b"")):
            rest += more
        if rest[: len(data)] != data:
            pairs = zip(data, rest, strict=False)
            same = next(
                (number for number, (mine, theirs) in enumerate(pairs) if mine != theirs), min(len(data), len(rest))
            )
            return done + same
        done, rest = done + len(data), rest[len(data) :]
    return done if rest or next(other, b"") else None


def _inflated(stream: Readable) -> Iterator[bytes]:
    """What a stream of gzip's holds, up to where it's damaged or at its end; no piece is empty."""
    inflating = zlib.decompressobj(_GZIP)
    while data := stream.read(_PIECE):
        before = inflating.copy()
        try:
            found = inflating.decompress(data)
        except zlib.error:
            yield from _byte_by_byte(before, data)
            return
        if found:
            yield found


def _byte_by_byte(inflating: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """What can be had of a damaged piece."""
    for number in range(len(data)):
        try:
            found = inflating.decompress(data[number : number + 1])
        except zlib.error:
            return
        if found:
            yield found
