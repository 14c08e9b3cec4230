"""Layers as hostile or as odd as a test wants them."""

from __future__ import annotations

import gzip
import io
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import zstandard

from cannery.image.image import Image
from cannery.image.layer import Layer
from cannery.image.platform import Platform
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

__all__ = ["by_zstd", "device", "directory", "fifo", "file", "hard_link", "image", "layer", "symlink"]

Member = tuple[tarfile.TarInfo, bytes]

_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"


def file(name: str, data: bytes = b"", *, mode: int = 0o644, mtime: int = 1) -> Member:
    return _member(name, tarfile.REGTYPE, mode=mode, mtime=mtime, size=len(data)), data


def directory(name: str, *, mode: int = 0o755, mtime: int = 1) -> Member:
    return _member(name, tarfile.DIRTYPE, mode=mode, mtime=mtime), b""


def symlink(name: str, target: str) -> Member:
    return _member(name, tarfile.SYMTYPE, linkname=target), b""


def hard_link(name: str, target: str) -> Member:
    return _member(name, tarfile.LNKTYPE, linkname=target), b""


def fifo(name: str) -> Member:
    return _member(name, tarfile.FIFOTYPE), b""


def device(name: str, major: int = 8, minor: int = 0, *, kind: bytes = tarfile.BLKTYPE) -> Member:
    return _member(name, kind, devmajor=major, devminor=minor), b""


def layer(folder: Path, *members: Member, name: str = "app") -> Layer:
    """A layer of ``members`` in their order, whose blob lies in ``folder``."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return packed(folder, archive.getvalue(), name=name)


def packed(folder: Path, archive: bytes, *, name: str = "app") -> Layer:
    """A layer whose archive is ``archive``, be it one or not."""
    blob = gzip.compress(archive, 1, mtime=0)
    digest = Digest.of(blob)
    path = folder / digest.hex
    path.write_bytes(blob)
    return Layer(name, digest, Digest.of(archive), len(blob), 0, 0, _GZIP, path)


def by_zstd(folder: Path, plain: Layer) -> Layer:
    """The same layer, compressed in another way."""
    blob = zstandard.ZstdCompressor().compress(gzip.decompress(plain.blob.read_bytes()))
    path = folder / "zstd"
    path.write_bytes(blob)
    media_type = "application/vnd.oci.image.layer.v1.tar+zstd"
    return replace(plain, blob=path, digest=Digest.of(blob), size=len(blob), media_type=media_type)


def image(layers: Iterable[Layer], settings: Mapping[str, Any] | None = None) -> Image:
    """An image of ``layers`` whose configuration says ``settings``."""
    layers = tuple(layers)
    config = {
        "config": dict(settings or {}),
        "rootfs": {"type": "layers", "diff_ids": [str(x.diff_id) for x in layers]},
    }
    manifest = {"schemaVersion": 2, "layers": [{"digest": str(x.digest), "size": x.size} for x in layers]}
    return Image(layers, config, {**manifest, "config": config}, Platform("linux", "amd64"))


def _member(name: str, kind: bytes, **attributes: int | str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info
