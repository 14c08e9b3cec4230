"""An image in any of the forms that tools save one in, read once from its first byte to its last.

An archive may name its layers at its very end, as ``docker save`` does: so every blob that looks like a layer is read
as it comes, and put in its place afterwards. An OCI layout (OCI image-spec v1.1, image-layout.md) is a folder or an
archive of one.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from cannery.audit.layers import read_layer
from cannery.errors import ImageError
from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.image.hashing import HashingReader, buffered, pieces
from cannery.image.media.files import BLOBS
from cannery.image.media.medium import decoded
from cannery.image.tar import members
from cannery.secrets.budget import Budget

if TYPE_CHECKING:
    import io
    from pathlib import Path

    from cannery.audit.contents import LayerContents

__all__ = ["Saved", "read_archive", "read_layout"]

_LARGEST_DOCUMENT = 1 << 24  # bytes of JSON
_MOST_DOCUMENTS, _PER_DOCUMENT = 1 << 26, 1 << 10  # bytes of all of them, and what each takes besides


@dataclass
class Saved:
    """What was found in an archive: documents, layers, and links from one name to another."""

    name: str
    documents: dict[str, bytes] = field(default_factory=dict)
    layers: dict[str, LayerContents] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)  # of what is packed in files
    left: int = _MOST_DOCUMENTS  # bytes that further documents may have

    def document(self, name: str) -> Any:
        """The JSON of that name."""
        data = self.documents.get(self._real(name))
        if data is None:
            raise ImageError(f"{self.name} has no {name}", step="save or build the image again")
        return decoded(data, f"{name} in {self.name}")

    def layer(self, name: str) -> LayerContents:
        """The layer of that name."""
        found = self.layers.get(self._real(name))
        if found is None:
            raise ImageError(f"{self.name} lacks the layer {name}, or that is no archive", step="save the image again")
        return found

    def __contains__(self, name: str) -> bool:
        return self._real(name) in self.documents

    def _real(self, name: str) -> str:
        return self.links.get(name, name)


def read_archive(stream: BinaryIO, name: str, *, readable: bool = False) -> Saved:
    """Read an archive of ``docker save``, ``podman save``, ``skopeo copy`` or cannery.

    Raises :class:`ImageError` for one that is cut off, damaged, or none.
    """
    saved = Saved(name)
    with undamaged(name):
        for member, content in members(_unzipped(buffered(stream))):
            path = posixpath.normpath(member.name)
            if content is not None:
                _take(saved, path, content, member.size, readable=readable)
            elif member.issym() or member.islnk():
                below = posixpath.dirname(path) if member.issym() else ""
                saved.links[path] = posixpath.normpath(posixpath.join(below, member.linkname))
    return saved


def read_layout(folder: Path, *, readable: bool = False) -> Saved:
    """Read an OCI layout in a folder."""
    saved = Saved(str(folder))
    paths = [folder / "index.json", *sorted((folder / BLOBS).glob("*"))]
    for path in paths:
        if path.is_file():
            with path.open("rb") as stream, undamaged(str(path)):
                _take(saved, path.relative_to(folder).as_posix(), stream, path.stat().st_size, readable=readable)
    return saved


def _take(saved: Saved, path: str, content: BinaryIO, size: int, *, readable: bool) -> None:
    """Keep a document, or read a layer; a blob that is named by its digest is compared with that."""
    hashed = HashingReader(content)
    stream = buffered(hashed)
    if stream.peek(1)[:1] in {b"{", b"["}:
        if size > _LARGEST_DOCUMENT:
            raise ImageError(f"{path} in {saved.name} has {size:,} bytes: no document of an image is so large")
        saved.left -= size + _PER_DOCUMENT
        if saved.left < 0:
            raise ImageError(f"the documents of {saved.name} are larger than those of any image")
        saved.documents[path] = stream.read()
    elif _is_layer(path, size):
        with undamaged(f"the layer {path} in {saved.name}"):
            archive = _unzipped(stream)
            saved.layers[path] = read_layer(archive, readable=readable, budget=saved.budget)
            _drain(archive)  # so that checksums at its end are compared
    else:
        return
    _drain(stream)
    if path.startswith(BLOBS) and hashed.digest.hex != path.removeprefix(BLOBS):
        found = f"expected sha256:{path.removeprefix(BLOBS)}\n   found {hashed.digest}"
        raise ImageError(f"{path} in {saved.name} is damaged", evidence=found, step="fetch or build the image again")


def _unzipped(stream: io.BufferedReader) -> BinaryIO:
    return unzipped(stream, compression_of(stream.peek(8)))


def _drain(stream: BinaryIO) -> None:
    for _ in pieces(stream):
        pass


def _is_layer(path: str, size: int) -> bool:
    return size > 0 and (path.startswith("blobs/") or path.endswith((".tar", ".tar.gz", ".tgz")))
