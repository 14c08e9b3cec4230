"""The contents that lie in a content: members of archives, what is compressed, what is encoded.

Whoever wrote an archive decides how it unpacks, so nothing here trusts it: a :class:`Budget` says how much is unpacked
and how deep, and what is damaged ends where the damage is.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import lzma
import posixpath
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from cannery.errors import ToolError
from cannery.image.decompression import compression_of, unzipped
from cannery.image.hashing import buffered
from cannery.image.tar import members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.hashing import Readable

__all__ = ["DAMAGE", "Budget", "decoded_runs", "encoding_of", "inside_tar", "inside_zip", "is_tar", "uncompressed"]

DAMAGE: Final = (  # all that reading an archive of any origin ends in
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError, NotImplementedError,
    RuntimeError, OSError, OverflowError, ToolError,
)  # fmt: skip
_DEEPEST: Final = 5  # contents in one another
_MOST: Final = 1 << 28  # bytes that one file unpacks to
_MOST_IN_ALL: Final = 1 << 30  # that all files of an image do
_MOST_MEMBERS: Final = 20_000
_LARGEST_DIRECTORY: Final = 1 << 23  # bytes: that of a zip archive is read as a whole
_END: Final = b"PK\5\6"  # of a zip archive: the record that tells how large its directory is (APPNOTE, 4.3.16)
_END_SIZE, _LONGEST_COMMENT = 22, 1 << 16
_SUFFIXES: Final = re.compile(r"\.(?:gz|bz2|xz|zst|lzma|Z)$")
_TAR: Final = re.compile(r"\.t(?:gz|bz2|xz)$")
_BOMS: Final = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LOOKED_AT: Final = 512  # bytes, to tell an encoding
_RUN: Final = re.compile(
    rb"(?<![A-Za-z0-9+/=_-])"
    rb"(?:[A-Za-z0-9+/]{40,}(?:(?:\r?\n|\\n)[ \t]*[A-Za-z0-9+/]{4,})*={0,2}|[A-Za-z0-9_-]{40,}={0,2})"
)
_WHITE: Final = re.compile(rb"\s+|\\n")
_BEGINNINGS: Final = (b"PK\3\4", b"\x30\x82", b"\x30\x77", b"\xfe\xed\xfe\xed")  # zip, DER twice, Java
_LEAST_TEXT: Final = 0.9  # the share of letters that people read


@dataclass
class Budget:
    """How much may be unpacked yet, of all files and of this one."""

    left: int = _MOST_IN_ALL
    of_file: int = _MOST
    members: int = _MOST_MEMBERS
    exceeded: bool = field(default=False)

    def for_file(self) -> None:
        """Begin with the next file."""
        self.of_file, self.members, self.exceeded = min(_MOST, self.left), _MOST_MEMBERS, self.left <= 0

    def spent(self, size: int) -> bool:
        """Take ``size`` bytes; True where that is more than there were."""
        self.left -= size
        self.of_file -= size
        self.exceeded = self.exceeded or self.of_file < 0
        return self.exceeded

    def too_deep(self, depth: int) -> bool:
        """True where contents lie in one another more often than anybody packs them."""
        self.exceeded = self.exceeded or depth > _DEEPEST
        return depth > _DEEPEST

    def next_member(self) -> bool:
        """True where one more member may be looked at."""
        self.members -= 1
        self.exceeded = self.exceeded or self.members < 0
        return not self.exceeded


def uncompressed(name: str, head: bytes, stream: Readable) -> tuple[str, BinaryIO] | None:
    """The name and the content of what is compressed in ``stream``; None where nothing is."""
    compression = compression_of(head[:8])
    if not compression or (compression == "bzip2" and not head[3:4].isdigit()):
        return None
    inner = _TAR.sub(".tar", _SUFFIXES.sub("", posixpath.basename(name)))
    return inner, unzipped(buffered(stream), compression)


def is_tar(head: bytes) -> bool:
    """True for the beginning of a tar archive (POSIX.1-1988 and later)."""
    return head[257:262] == b"ustar"


def inside_tar(stream: BinaryIO, budget: Budget) -> Iterator[tuple[str, BinaryIO]]:
    """The members of a tar archive, each with its name."""
    for member, content in members(stream):
        if not budget.next_member():
            return
        if content is not None:
            yield member.name, content


def inside_zip(stream: BinaryIO, size: int, budget: Budget) -> Iterator[tuple[str, BinaryIO]]:
    """The members of a zip archive, each with its name; of two that share one, both."""
    if _directory_size(stream, size) > _LARGEST_DIRECTORY:
        budget.exceeded = True
        return
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            if not budget.next_member():
                return
            try:
                with archive.open(info) as content:
                    yield info.filename, cast("BinaryIO", content)
            except DAMAGE:  # one that is encrypted, or damaged: others may not be
                continue


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
    for match in _RUN.finditer(window):
        if b"-----" in window[max(0, match.start() - 8) : match.start()]:
            continue  # what PEM holds is told by its first line
        data = _WHITE.sub(b"", match[0]).replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
        try:
            content = base64.b64decode(data[: len(data) - (len(data) % 4 == 1)] + b"=" * (-len(data) % 4))
        except binascii.Error:
            continue
        if compression_of(content[:8]) or content.startswith(_BEGINNINGS) or _is_text(content):
            yield match.start(), content


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return bool(encoding_of(content))
    return sum(map(str.isprintable, text)) + text.count("\n") + text.count("\t") >= _LEAST_TEXT * len(text)


def _directory_size(stream: BinaryIO, size: int) -> int:
    """The size of a zip archive's directory, which its last record tells."""
    stream.seek(max(0, size - _LONGEST_COMMENT - _END_SIZE))
    tail = stream.read()
    stream.seek(0)
    place = tail.rfind(_END)
    return int.from_bytes(tail[place + 12 : place + 16], "little") if place >= 0 else 0
