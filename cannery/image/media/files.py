"""Files of a medium by their names, in a folder or a tar archive: read and written here, whatever they mean."""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, Final, Protocol, Self, cast

from cannery.errors import ImageError
from cannery.image.bounded_tar import bounded_tar
from cannery.image.content import TIME
from cannery.image.decompression import undamaged
from cannery.image.hashing import HashingReader, pieces
from cannery.workspace.files import DamagedBlobError, explained, replacing, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cannery.image.layer import Layer
    from cannery.workspace.digest import Digest

__all__ = ["BLOBS", "Files", "FolderFiles", "TarFiles", "TarWriter", "blob_name", "distinct"]

BLOBS: Final = "blobs/sha256/"
_CHUNK: Final = 1 << 20  # bytes that are copied at a time


def blob_name(digest: Digest) -> str:
    """The name of the file with the blob of ``digest`` (OCI image-spec v1.1, image-layout.md)."""
    return f"{BLOBS}{digest.hex}"


def distinct(layers: tuple[Layer, ...]) -> list[Layer]:
    """Each layer once: an image may have the same one twice."""
    return list({layer.digest: layer for layer in layers}.values())


class Files(Protocol):
    """Files that can be read by their names."""

    def __contains__(self, name: str) -> bool: ...

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file; raises :class:`ImageError` where there is none of that name."""
        ...


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files in ``folder``, for reading and for writing."""

    folder: Path

    def __contains__(self, name: str) -> bool:
        return (self.folder / name).is_file()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file for reading."""
        path = self.folder / name
        if name not in self:
            raise _missing(name, self.folder)
        with explained(path, "read"), path.open("rb") as stream:
            yield stream

    def add(self, name: str, data: bytes) -> None:
        """Write a file, which takes the place of one that is there."""
        with replacing(self.folder / name) as stream:
            stream.write(data)

    def add_layer(self, layer: Layer) -> None:
        """Write a layer's blob, unless it's there and whole; raises :class:`ImageError` where it's damaged."""
        path = self.folder / blob_name(layer.digest)
        if path.is_file() and _is_whole(path, layer):
            return
        with replacing(path) as target, _blob(layer) as source:
            reader = HashingReader(source)
            for data in pieces(reader, _CHUNK):
                target.write(data)
            _compare(reader, layer)


@dataclass(frozen=True, slots=True)
class TarFiles:
    """The files in a tar archive at ``path``, compressed or not, for reading."""

    path: Path

    def __contains__(self, name: str) -> bool:
        with self._archive() as archive:
            return any(member.name == name for member in archive)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file; links between members are followed, as older archives have them."""
        with self._archive() as archive:
            try:
                stream: IO[bytes] | None = archive.extractfile(name)
            except (KeyError, RecursionError):  # or links in a circle
                stream = None
            if stream is None:
                raise _missing(name, self.path)
            with stream:
                yield cast("BinaryIO", stream)

    @contextmanager
    def _archive(self) -> Iterator[tarfile.TarFile]:
        with explained(self.path, "read"), undamaged(f"the archive {self.path}"), bounded_tar(self.path) as archive:
            yield archive


class TarWriter:
    """A tar archive that is written to ``stream``, the same for the same files."""

    def __init__(self, stream: BinaryIO) -> None:
        self._archive = tarfile.TarFile(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, copybufsize=_CHUNK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._archive.close()

    def add_folder(self, name: str) -> None:
        """Write a folder."""
        member = _member(name, 0)
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        self._archive.addfile(member)

    def add(self, name: str, data: bytes) -> None:
        """Write a file."""
        self._archive.addfile(_member(name, len(data)), io.BytesIO(data))

    def add_layer(self, layer: Layer, checked: list[int] | None = None) -> list[int]:
        """Write a layer's blob, and return its stamp.

        The blob is compared with its digest, unless its stamp is ``checked``, the one that it had when it was compared
        last. Raises :class:`ImageError` where it's damaged.
        """
        member = _member(blob_name(layer.digest), layer.size)
        with _blob(layer) as stream:
            stamp = stamp_of(os.fstat(stream.fileno()))
            if stamp == checked:
                self._archive.addfile(member, stream)
                return stamp
            reader = HashingReader(stream)
            self._archive.addfile(member, cast("BinaryIO", reader))
        _compare(reader, layer)
        return stamp


def _member(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name.rstrip("/"))
    info.size, info.mode, info.mtime = size, 0o644, TIME
    return info


def _blob(layer: Layer) -> BinaryIO:
    with explained(layer.blob, "read"):
        return layer.blob.open("rb")


def _is_whole(path: Path, layer: Layer) -> bool:
    with explained(path, "read"), path.open("rb") as stream:
        reader = HashingReader(stream)
        for _ in pieces(reader, _CHUNK):
            pass
    return reader.digest == layer.digest


def _compare(reader: HashingReader, layer: Layer) -> None:
    if reader.digest == layer.digest:
        return
    layer.blob.unlink(missing_ok=True)
    evidence = f"expected {layer.digest}\n   found {reader.digest}"
    raise DamagedBlobError(f"the layer {layer.name!r}", layer.blob, evidence)


def _missing(name: str, where: Path) -> ImageError:
    return ImageError(f"there is no {name} in {where}", step="save or make the image anew")
