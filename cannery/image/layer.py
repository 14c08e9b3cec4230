"""Layers: trees packed, the same bytes for the same tree (OCI image-spec v1.1, layer.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

from cannery.image.media_types import GZIP_LAYER, LAYER
from cannery.workspace.digest import Digest
from cannery.workspace.files import explained
from cannery.workspace.use import used
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cannery.image.tree import Tree
    from cannery.workspace.workspace import Progress

__all__ = ["OPAQUE", "WHITEOUT", "Blobs", "Layer", "gzipped", "pack"]

# Names of files in layers that take away what lower layers have (layer.md, Whiteouts).
WHITEOUT: Final = ".wh."  # begins the name of a file that stands for the one of that name
OPAQUE: Final = ".wh..wh..opq"  # stands for all that lies in its folder


class Blobs(Protocol):
    """A store of blobs, which are files named by their digests; :class:`cannery.workspace.cache.Cache` is one."""

    def blob(self, digest: Digest) -> Path:
        """The path that the blob of ``digest`` has, or will have."""
        ...

    def new_blob(self) -> AbstractContextManager[tuple[BinaryIO, Callable[[Digest], Path]]]:
        """A file to write a blob to, and a function that gives it its name once it's whole, and returns its path."""
        ...


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

    @classmethod
    def from_json(cls, value: Mapping[str, Any], blobs: Blobs) -> Layer:
        """The layer of a record that :meth:`as_json` made, maybe on another machine; its blob lies in ``blobs``.

        Raises :class:`ImageError` where the digests are none: they become names of files here.
        """
        digest, diff_id = (Digest.parse(f"sha256:{value[name]}") for name in ("digest", "diff_id"))
        return cls(**{**value, "digest": digest, "diff_id": diff_id}, blob=blobs.blob(digest))

    def as_json(self) -> dict[str, str | int]:
        """A record of the layer, without the path of its blob."""
        return {
            "name": self.name,
            "digest": self.digest.hex,
            "diff_id": self.diff_id.hex,
            "size": self.size,
            "unpacked_size": self.unpacked_size,
            "files": self.files,
            "media_type": self.media_type,
        }

    def is_present(self) -> bool:
        """True where the blob is there and has its size; it's marked as in use then, so that eviction spares it."""
        with explained(self.blob, "read"):
            return self.blob.is_file() and self.blob.stat().st_size == self.size and used(self.blob)


def pack(name: str, tree: Tree, blobs: Blobs, *, level: int = 6, progress: Progress = silent) -> Layer:
    """Pack ``tree`` into a layer called ``name``, whose blob lies in ``blobs``; ``level`` is gzip's, from 0 to 9.

    Contents are streamed, so that memory does not grow with the tree, and compressed on all processors. Raises
    :class:`ImageError` where a path lies below a file or a link, and where a file changes while it's read.
    """
    from cannery.image.gzip import GzipWriter  # noqa: PLC0415  # slow to import, and needed only for what is new
    from cannery.image.hashing import HashingWriter  # noqa: PLC0415
    from cannery.image.tar import write_tar  # noqa: PLC0415

    files = [file for _, file in tree.files()]
    total = sum(file.content.size for file in files)
    with blobs.new_blob() as (stream, commit):
        blob = HashingWriter(stream)
        with GzipWriter(blob, level=level) as compressed:
            archive = HashingWriter(compressed)
            write_tar(tree, archive, lambda done: progress(f"packing {name}", done, total))
        path = commit(blob.digest)
    return Layer(name, blob.digest, archive.digest, blob.size, total, len(files), GZIP_LAYER, path)


def gzipped(layer: Layer, blobs: Blobs, progress: Progress = silent) -> Layer:
    """``layer`` compressed by gzip, with its blob in ``blobs``; itself where it's compressed already."""
    if layer.media_type != LAYER:
        return layer
    from cannery.image.gzip import GzipWriter  # noqa: PLC0415  # as above
    from cannery.image.hashing import HashingWriter, pieces  # noqa: PLC0415

    progress(f"compressing {layer.name}")
    with layer.blob.open("rb") as content, blobs.new_blob() as (stream, commit):
        blob = HashingWriter(stream)
        with GzipWriter(blob, level=6) as compressed:
            for data in pieces(content, 1 << 20):
                compressed.write(data)
        path = commit(blob.digest)
    return replace(layer, digest=blob.digest, size=blob.size, media_type=GZIP_LAYER, blob=path)
