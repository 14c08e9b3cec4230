"""Base images as small as a test wants them, in folders and archives."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cannery.image.layer import Layer

__all__ = ["AMD64", "DOCKER", "OCI", "Kind", "add_image", "add_index", "docker_archive", "layout", "write_index"]

AMD64 = {"os": "linux", "architecture": "amd64"}

Kind = dict[str, str]
OCI: Kind = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "index": "application/vnd.oci.image.index.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}
DOCKER: Kind = {
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


def layout(folder: Path, layers: Sequence[Layer], **more: Any) -> Path:
    """An OCI layout of one image called ``base``; ``more`` is what :func:`add_image` takes."""
    descriptor = add_image(folder, layers, **more)
    named = {**descriptor, "annotations": {"org.opencontainers.image.ref.name": "base"}}
    return write_index(folder, [named])


def write_index(folder: Path, manifests: Sequence[Mapping[str, Any]]) -> Path:
    (folder / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": list(manifests)}))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return folder


def add_image(
    folder: Path,
    layers: Sequence[Layer],
    *,
    settings: Mapping[str, Any] | None = None,
    platform: Mapping[str, str] = AMD64,
    kind: Kind = OCI,
    typed: bool = True,
    history: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Put an image's blobs into a layout; returns the descriptor of its manifest."""
    blobs = [_blob(folder, layer.blob.read_bytes(), kind.get("layer", layer.media_type)) for layer in layers]
    config = {
        "config": dict(settings or {}),
        **platform,
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]},
        **({} if history is None else {"history": list(history)}),
    }
    manifest = {
        "schemaVersion": 2,
        **({"mediaType": kind["manifest"]} if typed else {}),
        "config": _blob(folder, _json(config), kind["config"]),
        "layers": blobs,
    }
    return {**_blob(folder, _json(manifest), kind["manifest"]), "platform": dict(platform)}


def add_index(folder: Path, manifests: Sequence[Mapping[str, Any]], kind: Kind = OCI) -> dict[str, Any]:
    """Put an index into a layout; returns its descriptor."""
    index = {"schemaVersion": 2, "mediaType": kind["index"], "manifests": list(manifests)}
    return _blob(folder, _json(index), kind["index"])


def docker_archive(path: Path, layers: Sequence[Layer], *tags: str, linked: bool = False, cut: int = 0) -> Path:
    """What ``docker save`` writes; ``linked`` as older ones do, where one layer is a link to another's file."""
    diff_ids = [str(layer.diff_id) for layer in layers]
    config = _json({**AMD64, "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}})
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        _add(archive, "config.json", config)
        for number, (name, layer) in enumerate(zip(names, layers, strict=True)):
            if linked and number:
                link = tarfile.TarInfo(name)
                link.type, link.linkname = tarfile.SYMTYPE, "../0/layer.tar"
                archive.addfile(link)
            else:
                _add(archive, name, gzip.decompress(layer.blob.read_bytes()))
        _add(archive, "manifest.json", _json([{"Config": "config.json", "RepoTags": list(tags), "Layers": names}]))
    data = stream.getvalue()
    path.write_bytes(data[: len(data) - cut])
    return path


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def _blob(folder: Path, data: bytes, media_type: str) -> dict[str, Any]:
    digest = Digest.of(data)
    path = folder / "blobs" / "sha256" / digest.hex
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"mediaType": media_type, "digest": str(digest), "size": len(data)}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
