"""Tar archives: written the same for the same tree, and read from the first byte to the last without trusting them.

Entries are sorted, every parent directory is written, owners are numbers, times follow from contents. The archive is
POSIX.1-2001 (pax), with extended headers only where a name needs one (OCI image-spec v1.1, layer.md).
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from cannery.image.bounded_tar import LONGEST_HEADER, HeaderLimit
from cannery.image.content import TIME, OnDisk, digest_of, time_of
from cannery.image.hashing import CHUNK, HashingWriter, pieces
from cannery.image.tree import Directory, File, Symlink
from cannery.workspace.files import changed, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cannery.image.content import Content
    from cannery.image.hashing import Readable, Sink
    from cannery.image.tree import Entry, Tree

__all__ = ["members", "write_tar"]

_PIECE: Final = 1 << 20  # bytes of a file that are read at a time


def write_tar(tree: Tree, sink: Sink, show: Callable[[int], None]) -> None:
    """Write ``tree`` as a tar archive to ``sink``; ``show`` is told how many bytes of content are done.

    Contents are streamed. Raises :class:`ImageError` where a file isn't what its size and its digest say.
    """
    written = done = 0
    for path, entry in tree.with_parents():
        header = _header(path, entry).tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
        sink.write(header)
        written += len(header)
        if isinstance(entry, File):
            for size in _copy(path, entry, sink):
                done += size
                show(done)
            padding = -entry.content.size % tarfile.BLOCKSIZE
            sink.write(bytes(padding))
            written += entry.content.size + padding
    sink.write(bytes(2 * tarfile.BLOCKSIZE + -(written + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE))


def members(stream: Readable) -> Iterator[tuple[tarfile.TarInfo, BinaryIO | None]]:
    """The members of the archive in ``stream``, in their order, each with its content where it is a regular file.

    A content can be read until the next member is asked for. Raises :class:`tarfile.TarError` for an archive that
    stops in the midst of a member or goes on with anything else. Archives that lack what should follow the last
    content, as umoci's do, are whole.
    """
    forward = _Forward(stream)
    with forward.archive() as archive:
        while (member := forward.next_of(archive)) is not None:
            if member.size < 0:
                raise tarfile.ReadError(f"{member.name!r} has a size of {member.size} bytes")
            yield member, cast("BinaryIO", archive.extractfile(member)) if member.isreg() else None
            archive.members.clear()  # type: ignore[attr-defined]  # it would remember all of them
            forward.seek(archive.offset)
            if forward.tell() < archive.offset:
                if forward.tell() < _end_of(member):
                    raise tarfile.ReadError(f"unexpected end of data at byte {forward.tell()}, in {member.name!r}")
                return
    if any(forward.last_block) or 0 < len(forward.last_block) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError(f"what follows byte {forward.tell()} is no member of an archive")


def _end_of(member: tarfile.TarInfo) -> int:
    """Where the content of ``member`` ends, in bytes from the archive's beginning."""
    if member.sparse is not None:
        return member.offset_data + sum(size for _, size in cast("list[tuple[int, int]]", member.sparse))
    return member.offset_data + (member.size if member.isreg() else 0)


def _header(path: str, entry: Entry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path.removeprefix("/"))
    info.mtime = TIME
    match entry:
        case File():
            info.mode, info.size = entry.mode, entry.content.size
            with explained(Path(path), "read"):
                info.mtime = time_of(digest_of(entry.content))
            info.uid, info.gid = entry.uid, entry.gid
        case Directory():
            info.type, info.mode = tarfile.DIRTYPE, entry.mode
            info.uid, info.gid = entry.uid, entry.gid
        case Symlink():
            info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, entry.target
    return info


def _copy(path: str, file: File, sink: Sink) -> Iterator[int]:
    """Copy a file's content, yielding the size of each piece as it's written."""
    content = file.content
    expected = content.digest if isinstance(content, OnDisk) else None
    hashed = HashingWriter(sink) if expected else None
    left = content.size
    for data in _read(path, content):
        left -= len(data)
        if left < 0:
            break
        (hashed or sink).write(data)
        yield len(data)
    if left or (hashed and hashed.digest != expected):
        raise changed(path, content.path if isinstance(content, OnDisk) else None)


def _read(path: str, content: Content) -> Iterator[bytes]:
    with explained(Path(path), "read"), content.open() as stream:
        yield from pieces(stream, _PIECE)


class _Forward(io.RawIOBase):
    """A stream that can only be read on, as the file that tarfile wants to seek in: it seeks by reading."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._at = 0
        self._limit = HeaderLimit()
        self.last_block = b""  # the last header that was read; at the end, whatever follows the last member

    def archive(self) -> tarfile.TarFile:
        """The archive that begins here, whose first header is read."""
        with self._limit():
            return tarfile.TarFile(fileobj=cast("BinaryIO", self), mode="r")

    def next_of(self, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
        """The next member of ``archive``, which reads from here; None at the end."""
        with self._limit():
            return archive.next()

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """The number of bytes that were read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Read up to ``offset``, or to the end."""
        if whence != io.SEEK_SET or offset < self._at:
            raise tarfile.ReadError(f"a member lies before byte {self._at}")
        while self._at < offset and (data := self._stream.read(min(CHUNK, offset - self._at))):
            self._at += len(data)
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """Read ``size`` bytes, or fewer at the end."""
        if not 0 <= size <= LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        self._limit.take(size)
        parts = []
        left = size
        while left and (data := self._stream.read(left)):
            parts.append(data)
            left -= len(data)
        data = b"".join(parts)
        self._at += len(data)
        if size == tarfile.BLOCKSIZE:
            self.last_block = data
        return data
