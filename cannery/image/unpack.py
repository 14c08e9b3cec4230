"""Layers unpacked into a folder, as engines do it (OCI image-spec v1.1, layer.md)."""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cannery.errors import ImageError
from cannery.image import media_types
from cannery.image.extraction import Extraction
from cannery.image.hashing import CHUNK, HashingReader, pieces
from cannery.image.zstd import ZstdReader
from cannery.workspace.files import explained

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from cannery.image.layer import Layer

__all__ = ["Unpacked", "unpack"]

_SMALL: Final = 1 << 30  # bytes that any layer may unpack to
_MOST: Final = 100  # times its size that a larger one may: programs and texts stay far below, bombs don't


class Unpacked(NamedTuple):
    """What was extracted."""

    layers: tuple[tuple[int, int], ...]  # of each: how many files, and their bytes
    folders: Mapping[str, tuple[int, int, int]]  # the mode and the owners that the layers say, by image path


def unpack(layers: Sequence[Layer], into: Path) -> Unpacked:
    """Extract ``layers`` in their order into the folder ``into``, with their modes and times.

    Owners are set by root alone, and set-user-ID bits by nobody. Raises :class:`ImageError` where a layer isn't
    what its digests say, holds what could reach out of the folder, or unpacks to far more than it should; what was
    extracted till then stays.
    """
    with explained(into):
        root = Extraction(os.fspath(into), owners=os.geteuid() == 0)
        counts = []
        for layer in layers:
            root.begin(layer.name)
            counts.append(_extract(layer, root))
        return Unpacked(tuple(counts), root.finish())


def _extract(layer: Layer, root: Extraction) -> tuple[int, int]:
    """Extract one layer, and compare its digests once it's read to its end; how many files it has, and their bytes."""
    limit = max(_SMALL, _MOST * layer.size)
    files = size = 0
    with _open(layer) as file:
        blob = HashingReader(file)
        archive = HashingReader(_unzipped(layer, blob))
        try:
            with tarfile.open(fileobj=archive, mode="r|", bufsize=CHUNK) as members:
                while (member := _next(members)) is not None:
                    files += member.isreg() or member.islnk()
                    size += member.size if member.isreg() else 0  # a sparse file's is not the archive's
                    if max(size, archive.size) > limit:
                        raise _bomb(layer, limit, f"at {member.name!r}")
                    root.add(member, members)
            for _ in pieces(archive):  # archives may be padded, and digests count that too
                if archive.size > limit:
                    raise _bomb(layer, limit, "after the last file")
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
    return files, size


def _next(members: tarfile.TarFile) -> tarfile.TarInfo | None:
    """The next member, None at the end: umoci leaves out what should follow the last file, and digests cover that."""
    try:
        return members.next()
    except tarfile.ReadError as error:
        if str(error) == "unexpected end of data":
            return None
        raise


def _bomb(layer: Layer, limit: int, where: str) -> ImageError:
    return ImageError(
        f"the layer {layer.name!r} unpacks to more than it should",
        evidence=f"{layer.size:,} bytes become more than {limit:,}, {where}",
        step="don't trust this image, or tell who made it",
    )


def _open(layer: Layer) -> BinaryIO:
    try:
        return layer.blob.open("rb")
    except OSError as error:
        raise ImageError(f"the layer {layer.name!r} can't be read", evidence=str(error)) from error


def _unzipped(layer: Layer, blob: HashingReader) -> io.RawIOBase | io.BufferedIOBase:
    match media_types.LAYERS.get(layer.media_type):
        case media_types.LAYER:
            return blob
        case media_types.GZIP_LAYER:
            return gzip.GzipFile(fileobj=blob)
        case media_types.ZSTD_LAYER:
            return ZstdReader(cast("BinaryIO", blob))
    raise ImageError(f"the layer {layer.name!r} is of a kind that can't be unpacked", evidence=layer.media_type)
