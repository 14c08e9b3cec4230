"""Layers unpacked into a folder, as engines do it (OCI image-spec v1.1, layer.md)."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from typing import TYPE_CHECKING, Final

from cannery.engines.root import Root
from cannery.errors import ImageError
from cannery.files import explained
from cannery.model import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from cannery.model import Layer

__all__ = ["unpack"]

_CHUNK: Final = 1 << 18  # bytes


def unpack(layers: Sequence[Layer], into: Path) -> None:
    """Extract ``layers`` in their order into the folder ``into``, with their modes and times.

    Owners are set by root alone, and set-user-ID bits by nobody. Raises :class:`ImageError` where a layer isn't
    what its digests say, or holds what could reach out of the folder; what was extracted till then stays.
    """
    with explained(into):
        root = Root(os.fspath(into), owners=os.geteuid() == 0)
        for layer in layers:
            root.begin(layer.name)
            _extract(layer, root)
        root.finish()


def _extract(layer: Layer, root: Root) -> None:
    """Extract one layer, and compare its digests once it's read to its end."""
    with _open(layer) as file:
        blob = _Digesting(file)
        archive = _Digesting(_unzipped(layer, blob))
        try:
            with tarfile.open(fileobj=archive, mode="r|", bufsize=_CHUNK) as members:
                for member in members:
                    root.add(member, members)
            archive.drain()
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise ImageError(f"the layer {layer.name!r} can't be read", evidence=f"{layer.blob}: {error}") from error
    for what, found, expected in (
        ("digest", blob.digest, layer.digest),
        ("diff ID", archive.digest, layer.diff_id),
    ):
        if found != expected:
            raise ImageError(
                f"the {what} of the layer {layer.name!r} is wrong",
                evidence=f"expected {expected}\n   found {found}\n      in {layer.blob}",
                step="remove the file, and build or fetch the image again",
            )


def _open(layer: Layer) -> BinaryIO:
    try:
        return layer.blob.open("rb")
    except OSError as error:
        raise ImageError(f"the layer {layer.name!r} can't be read", evidence=str(error)) from error


def _unzipped(layer: Layer, blob: _Digesting) -> io.RawIOBase | io.BufferedIOBase:
    if layer.media_type.endswith("tar"):
        return blob
    if layer.media_type.endswith("gzip"):
        return gzip.GzipFile(fileobj=blob)
    raise ImageError(f"the layer {layer.name!r} is of a kind that can't be unpacked", evidence=layer.media_type)


class _Digesting(io.RawIOBase):
    """A stream that takes the digest of what is read from it."""

    def __init__(self, stream: BinaryIO | io.RawIOBase | io.BufferedIOBase) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> Digest:
        """The digest of what was read so far."""
        return Digest(self._hash.hexdigest())

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read as the stream does."""
        data = self._stream.read(size) or b""
        self._hash.update(data)
        return data

    def drain(self) -> None:
        """Read to the end: archives may be padded, and digests count that too."""
        while self.read(_CHUNK):
            pass
