"""Images as small and as bad as a test wants them, in the forms that tools save them in."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import tarfile
from typing import TYPE_CHECKING, Any

import zstandard

from cannery.audit.archives import read_archive
from cannery.audit.choice import choose
from cannery.audit.rules import check
from tests.support.layers import directory, file, hard_link, symlink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cannery.audit.contents import ImageContents
    from cannery.audit.finding import Finding
    from tests.support.layers import Member

__all__ = [
    "COMPRESSIONS",
    "START",
    "audited",
    "contents_of",
    "directory",
    "docker_archive",
    "file",
    "hard_link",
    "layer",
    "oci_files",
    "symlink",
    "tar_of",
]

COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "zstd": zstandard.ZstdCompressor().compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}
START: Mapping[str, Any] = {"User": "65535", "WorkingDir": "/app", "Entrypoint": ["/usr/local/bin/python3", "-m", "x"]}


def layer(*members: Member, compression: str = "gzip") -> bytes:
    """A layer of ``members`` in their order."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return COMPRESSIONS[compression](archive.getvalue())


def docker_archive(layers: Sequence[bytes], start: Mapping[str, Any] = START, **config: object) -> bytes:
    """What ``docker save`` wrote before version 25: the order of the layers comes last."""
    names = [f"{number:064x}/layer.tar" for number in range(len(layers))]
    manifest = [{"Config": f"{'c' * 64}.json", "RepoTags": ["bad:latest"], "Layers": names}]
    files = {f"{'c' * 64}.json": _json(_config(layers, start, config)), **dict(zip(names, layers, strict=True))}
    return tar_of({**files, "manifest.json": _json(manifest)})


def oci_files(layers: Sequence[bytes], start: Mapping[str, Any] = START, **config: object) -> dict[str, bytes]:
    """The files of an OCI layout (OCI image-spec v1.1, image-layout.md)."""
    blobs = {hashlib.sha256(data).hexdigest(): data for data in layers}
    named = _json(_config(layers, start, config))
    manifest = _json({"config": _descriptor(named), "layers": [_descriptor(data) for data in layers]})
    index = _json({"manifests": [{**_descriptor(manifest), "annotations": {_REFERENCE: "bad"}}]})
    blobs |= {hashlib.sha256(data).hexdigest(): data for data in (named, manifest)}
    return {"index.json": index, **{f"blobs/sha256/{name}": data for name, data in blobs.items()}}


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """An archive of ``files``."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in files.items():
            info, _ = file(name, data)
            tar.addfile(info, io.BytesIO(data))
    return archive.getvalue()


def contents_of(*layers: bytes, start: Mapping[str, Any] = START, **config: object) -> ImageContents:
    """What is read of an image of ``layers``."""
    archive = docker_archive(layers, start, **config)
    return choose(read_archive(io.BytesIO(archive), "bad.tar", readable=True))


def audited(*layers: bytes, start: Mapping[str, Any] = START, **config: object) -> dict[str, list[Finding]]:
    """The findings on an image of ``layers``, by the IDs of their rules."""
    found: dict[str, list[Finding]] = {}
    for finding in check(contents_of(*layers, start=start, **config)):
        found.setdefault(finding.rule.id, []).append(finding)
    return found


_REFERENCE = "org.opencontainers.image.ref.name"


def _config(layers: Sequence[bytes], start: Mapping[str, Any], more: Mapping[str, object]) -> dict[str, object]:
    archives = [gzip.decompress(data) if data.startswith(b"\x1f\x8b\x08") else data for data in layers]
    diff_ids = [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in archives]
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    return {"os": "linux", "architecture": "amd64", "config": start, "rootfs": rootfs, **more}


def _descriptor(data: bytes) -> dict[str, object]:
    return {"digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
