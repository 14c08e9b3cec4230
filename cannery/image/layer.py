"""A tree becomes a layer, the same for the same tree (OCI image-spec v1.1, layer.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.image.gzip import GzipWriter
from cannery.image.hashing import HashingWriter
from cannery.image.media_types import GZIP_LAYER
from cannery.image.tar import write_tar

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.image.tree import Tree
    from cannery.workspace.digest import Digest
    from cannery.workspace.workspace import Workspace


__all__ = ["Layer", "pack"]


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
