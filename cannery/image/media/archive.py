"""One file that is an OCI layout (OCI image-spec v1.1, image-layout.md) and a ``docker save`` archive at once.

``docker load`` and ``podman load`` read ``manifest.json``; ``skopeo copy oci-archive:`` reads ``index.json``. Both name
the same blobs.
"""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING, BinaryIO, cast

from cannery.errors import ImageError
from cannery.image.hashing import HashingReader
from cannery.image.image import canonical_json, descriptor
from cannery.image.media_types import INDEX, MANIFEST
from cannery.image.tar import TIME
from cannery.workspace.files import explained, replacing, stamp_of
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cannery.image.image import Image
    from cannery.image.layer import Layer
    from cannery.workspace.workspace import Workspace

__all__ = ["write_archive", "write_upper"]

_CHUNK = 1 << 20  # bytes copied at a time


def write_archive(image: Image, path: Path, references: Sequence[str], workspace: Workspace) -> bool:
    """Write ``image`` to ``path`` under the names ``references``; False when it's already there as it should be.

    Raises :class:`ImageError` when a blob in the cache isn't what its digest says.
    """
    key = key_of("archive", code_key(__name__), str(path.absolute()))
    state = {"digest": str(image.digest), "references": list(references)}
    known = workspace.cache.recall("archives", key)
    blobs = (known or {}).pop("blobs", {})
    if known is not None and path.is_file() and known == {**state, "stamp": _stamp(path.stat())}:
        return False
    with replacing(path) as stream:
        with tarfile.TarFile(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, copybufsize=_CHUNK) as archive:
            blobs = _write(archive, image, references, workspace, blobs)
        stream.flush()
        stamp = _stamp(os.fstat(stream.fileno()))  # by its name, it may already be another build's
    workspace.cache.remember("archives", key, {**state, "stamp": stamp, "blobs": blobs})
    return True


def write_upper(image: Image, path: Path, references: Sequence[str], lower: int) -> None:
    """Write to ``path`` what ``docker load`` needs of ``image`` where the engine has its ``lower`` layers already."""
    with tarfile.TarFile(path, mode="w", format=tarfile.PAX_FORMAT, copybufsize=_CHUNK) as archive:
        _add(archive, f"blobs/sha256/{image.id.hex}", image.config_blob)
        for layer in {layer.digest: layer for layer in image.layers[lower:]}.values():
            _add_blob(archive, layer, None)
        _add(archive, "manifest.json", canonical_json(_docker_manifest(image, references)))


def _write(
    archive: tarfile.TarFile,
    image: Image,
    references: Sequence[str],
    workspace: Workspace,
    checked: Mapping[str, list[int]],
) -> dict[str, list[int]]:
    """Write everything; the stamps of the blobs that were compared with their digests, now or before (``checked``)."""
    stamps: dict[str, list[int]] = {}
    _add(archive, "blobs/")
    _add(archive, "blobs/sha256/")
    _add(archive, f"blobs/sha256/{image.id.hex}", image.config_blob)
    _add(archive, f"blobs/sha256/{image.digest.hex}", image.manifest_blob)
    done, total = 0, sum(layer.size for layer in image.layers)
    for layer in {layer.digest: layer for layer in image.layers}.values():
        stamps[layer.digest.hex] = _add_blob(archive, layer, checked.get(layer.digest.hex))
        done += layer.size
        workspace.progress("writing the archive", done, total)
    _add(archive, "index.json", canonical_json(_index(image, references)))
    _add(archive, "manifest.json", canonical_json(_docker_manifest(image, references)))
    _add(archive, "oci-layout", canonical_json({"imageLayoutVersion": "1.0.0"}))
    return stamps


def _index(image: Image, references: Sequence[str]) -> dict[str, object]:
    one = descriptor(MANIFEST, image.digest, len(image.manifest_blob), platform=image.platform.as_json())
    named = [{**one, "annotations": _names(reference)} for reference in references]
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": named or [one]}


def _names(reference: str) -> dict[str, str]:
    """What the image is called: by the specification (annotations.md), and by containerd, which wants the registry."""
    first, slash, _ = reference.partition("/")
    registry = "" if slash and ("." in first or ":" in first or first == "localhost") else "docker.io/"
    library = "library/" if registry and not slash else ""
    return {
        "io.containerd.image.name": f"{registry}{library}{reference}",
        "org.opencontainers.image.ref.name": reference,
    }


def _docker_manifest(image: Image, references: Sequence[str]) -> list[dict[str, object]]:
    layers = [f"blobs/sha256/{layer.digest.hex}" for layer in image.layers]
    return [{"Config": f"blobs/sha256/{image.id.hex}", "RepoTags": list(references), "Layers": layers}]


def _add(archive: tarfile.TarFile, name: str, data: bytes | None = None) -> None:
    info = _member(name, len(data or b""))
    archive.addfile(info, io.BytesIO(data or b""))


def _add_blob(archive: tarfile.TarFile, layer: Layer, before: list[int] | None) -> list[int]:
    """Write a layer's blob, and return its stamp; it's ``before`` where nothing has touched it since it was checked."""
    with explained(layer.blob, "read"):
        blob = layer.blob.open("rb")
    member = _member(f"blobs/sha256/{layer.digest.hex}", layer.size)
    with blob as stream:
        stamp = stamp_of(os.fstat(stream.fileno()))
        if stamp == before:
            archive.addfile(member, stream)
            return stamp
        checked = HashingReader(stream)
        archive.addfile(member, cast("BinaryIO", checked))
    if checked.digest != layer.digest:
        layer.blob.unlink(missing_ok=True)
        raise ImageError(
            f"the layer {layer.name!r} in the cache is not what it was",
            evidence=f"expected {layer.digest}\n   found {checked.digest}\n      in {layer.blob}",
            step="build again: that file is removed, and will be made anew",
        )
    return stamp


def _member(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name.rstrip("/"))
    info.size = size
    info.mode = 0o755 if name.endswith("/") else 0o644
    info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
    info.mtime = TIME
    return info


def _stamp(status: os.stat_result) -> list[int]:
    """What changes when the archive does; getting its name changes the inode's own time."""
    return [status.st_size, status.st_mtime_ns, status.st_ino]
