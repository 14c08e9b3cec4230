"""A tree becomes a layer: an archive that is the same, byte for byte, for the same tree.

Entries are sorted, every parent directory is written, owners are numbers, times are fixed. The archive is POSIX.1-2001
(pax), with extended headers only where a name needs one (OCI image-spec v1.1, layer.md).
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.image.content import Content, OnDisk
from cannery.image.gzip import GzipWriter
from cannery.image.hashing import HashingWriter, Sink, pieces
from cannery.image.media_types import GZIP_LAYER
from cannery.image.tree import Directory, Entry, File, Symlink, Tree
from cannery.workspace.files import changed, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cannery.image.content import Content
    from cannery.workspace.digest import Digest
    from cannery.workspace.workspace import Workspace


__all__ = ["TIME", "Layer", "pack", "write_tar"]

TIME = 1  # of all that is made: one second after the epoch, as some programs take 0 for 'no time given'
_CHUNK = 1 << 20  # bytes of a file that are read at a time


def pack(name: str, tree: Tree, workspace: Workspace, *, level: int = 6) -> Layer:
    """Pack ``tree`` into a layer whose blob lies in the cache; ``level`` is gzip's.

    Contents are streamed: memory does not grow with the tree. Raises :class:`ImageError` when a file changes while
    it's read.
    """
    files = [file for _, file in tree.files()]
    total = sum(file.content.size for file in files)

    def show(done: int) -> None:
        workspace.progress(f"packing {name}", done, total)

    with workspace.cache.new_blob() as (stream, commit):
        blob = HashingWriter(stream)
        with GzipWriter(blob, level=level) as compressed:
            archive = HashingWriter(compressed)
            write_tar(tree, archive, show)
        path = commit(blob.digest)
    return Layer(name, blob.digest, archive.digest, blob.size, total, len(files), GZIP_LAYER, path)


def write_tar(tree: Tree, sink: Sink, show: Callable[[int], None]) -> None:
    """Write ``tree`` as a tar archive to ``sink``; ``show`` is told how many bytes of content are done."""
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


def _header(path: str, entry: Entry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path.removeprefix("/"))
    info.mtime = TIME
    match entry:
        case File():
            info.mode, info.size = entry.mode, entry.content.size
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
        raise changed(path)


def _read(path: str, content: Content) -> Iterator[bytes]:
    with explained(Path(path), "read"), content.open() as stream:
        yield from pieces(stream, _CHUNK)


@dataclass(frozen=True, slots=True)
class Layer:
    """A tree packed into an archive that is the same for the same tree."""

    name: str  # what it holds: runtime, dependencies, app
    digest: Digest  # of the compressed blob
    diff_id: Digest  # of the archive inside it (OCI image-spec v1.1, config.md)
    size: int  # bytes, compressed
    unpacked_size: int  # bytes of the files in it
    files: int  # how many regular files
    media_type: str
    blob: Path
