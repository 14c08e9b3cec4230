"""The contents that lie in a content: members of archives, and what is compressed.

Nothing here trusts whoever wrote an archive: a budget says how much is unpacked, and what is damaged ends where the
damage is.
"""

from __future__ import annotations

import lzma
import posixpath
import re
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from cannery.errors import ToolError
from cannery.image.decompression import compression_of, unzipped
from cannery.image.hashing import buffered
from cannery.image.tar import members
from cannery.secrets.encoded import begins_zip
from cannery.secrets.seven_zip import SEVEN_ZIP, inside_seven_zip
from cannery.secrets.unix_archives import AR, CPIO, RPM, inside_ar, inside_cpio, payload_of_rpm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cannery.image.hashing import Readable
    from cannery.secrets.budget import Budget

__all__ = ["DAMAGE", "inside_file", "inside_stream", "inside_tar", "inside_zip", "uncompressed"]

DAMAGE: Final = (  # all that reading an archive of any origin ends in
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError, NotImplementedError,
    RuntimeError, OSError, OverflowError, ToolError, IndexError, struct.error,
)  # fmt: skip
_LARGEST_DIRECTORY: Final = 1 << 23  # bytes: that of a zip archive is read as a whole
_END: Final = b"PK\5\6"  # of a zip archive: the record that tells how large its directory is (APPNOTE, 4.3.16)
_END_SIZE, _LONGEST_COMMENT = 22, 1 << 16
_SUFFIXES: Final = re.compile(r"\.(?:gz|bz2|xz|zst|lzma|Z)$")
_TAR: Final = re.compile(r"\.t(?:gz|bz2|xz)$")


def uncompressed(name: str, head: bytes, stream: Readable) -> tuple[str, BinaryIO]:
    """The name and the content of what is compressed in ``stream``, which begins with ``head``."""
    inner = _TAR.sub(".tar", _SUFFIXES.sub("", posixpath.basename(name)))
    if head.startswith(RPM):
        packed = buffered(payload_of_rpm(cast("BinaryIO", stream)))
        return f"{inner}.cpio", unzipped(packed, compression_of(packed.peek(8)[:8]))
    return inner, unzipped(buffered(stream), compression_of(head[:8]))


def inside_stream(head: bytes) -> Callable[[BinaryIO, Budget], Iterator[tuple[str, BinaryIO]]] | None:
    """What reads the members of an archive that begins with ``head``, from front to back; None for others."""
    if head[257:262] == b"ustar":  # POSIX.1-1988 and later
        return inside_tar
    if head.startswith(AR):
        return inside_ar
    return inside_cpio if head.startswith(CPIO) else None


def inside_file(head: bytes) -> Callable[[BinaryIO, int, Budget], Iterator[tuple[str, BinaryIO]]] | None:
    """What reads the members of an archive that begins with ``head``, which tells them at its end; None for others."""
    if begins_zip(head):
        return inside_zip
    return inside_seven_zip if head.startswith(SEVEN_ZIP) else None


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


def _directory_size(stream: BinaryIO, size: int) -> int:
    """The size of a zip archive's directory, which its last record tells."""
    stream.seek(max(0, size - _LONGEST_COMMENT - _END_SIZE))
    tail = stream.read()
    stream.seek(0)
    place = tail.rfind(_END)
    return int.from_bytes(tail[place + 12 : place + 16], "little") if place >= 0 else 0
