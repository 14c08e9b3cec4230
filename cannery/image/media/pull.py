"""An image is pulled: its blobs come from any medium into a store, each compared with its digest on the way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.errors import ImageError
from cannery.image.hashing import HashingReader, pieces
from cannery.image.image import Base
from cannery.image.layer import Layer
from cannery.image.media.medium import LARGEST_DOCUMENT, Descriptor, check, is_index, parse_json
from cannery.image.media.walk import best, candidates
from cannery.image.media_types import LAYERS
from cannery.image.platform import Platform
from cannery.workspace.digest import Digest
from cannery.workspace.use import used
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cannery.image.hashing import Readable
    from cannery.image.layer import Blobs
    from cannery.image.media.medium import Medium
    from cannery.workspace.workspace import Progress

__all__ = ["check_blob", "fetch_blob", "pull", "read_blob"]


class _InheritedSettings(msgspec.Struct):
    """The part of a configuration that images built upon this one inherit."""

    Env: list[str] | None = None
    ExposedPorts: dict[str, Any] | None = None
    Labels: dict[str, str] | None = None
    User: str | None = None
    Volumes: dict[str, Any] | None = None


class _Config(msgspec.Struct):
    """The part of a configuration that is read (OCI image-spec v1.1, config.md)."""

    os: str
    architecture: str
    variant: str | None = None
    config: _InheritedSettings | None = None
    history: list[dict[str, Any]] | None = None


def pull(medium: Medium, platform: Platform, blobs: Blobs, progress: Progress = silent) -> Base:
    """Bring the image of ``medium`` for ``platform`` into the store ``blobs``; layers that are there aren't read again.

    Layers and configuration stay as they are, but that media types of Docker's become the specification's. The number
    of files in a layer, and of their bytes, is 0: only unpacking tells. Raises :class:`ImageError` where a blob isn't
    what its digest says, or the image isn't there for that platform, and what ``medium`` raises.
    """
    progress(f"looking at {medium.name}")
    root = medium.root()
    document = _manifest(root, platform, medium)
    manifest = parse_json(document, f"the manifest of {medium.name}")
    descriptors = _layers(manifest, medium)
    config = _read_json(medium, Descriptor.parse(manifest.get("config")))
    check(config, _Config, f"the configuration of {medium.name}")
    found = _platform(config, platform, medium)
    diff_ids = _diff_ids(config, descriptors, medium)
    layers = []
    for number, (each, diff_id) in enumerate(zip(descriptors, diff_ids, strict=True), 1):
        fetch_blob(medium, each, blobs, partial(progress, f"fetching layer {number} of {len(descriptors)}"))
        path = blobs.blob(each.digest)
        layers.append(Layer(f"base-{number}", each.digest, diff_id, each.size, 0, 0, each.media_type, path))
    return Base(medium.name, Digest.of(root), Digest.of(document), tuple(layers), config, found)


def _manifest(root: bytes, platform: Platform, medium: Medium) -> bytes:
    """The manifest for ``platform``: the document ``root``, or one that it leads to."""
    index = parse_json(root, f"the manifest of {medium.name}")
    if not is_index(index):
        return root
    found = candidates(index, partial(_read_json, medium), f"the index of {medium.name}")
    return _document(medium, best(found, platform, medium.name).manifest)


def _layers(manifest: Mapping[str, Any], medium: Medium) -> tuple[Descriptor, ...]:
    if not isinstance(manifest.get("layers"), list) or is_index(manifest):
        raise ImageError(
            f"{medium.name} is no image that cannery can read",
            evidence=f"its manifest is of the kind {manifest.get('mediaType') or manifest.get('schemaVersion')}",
            step="push it again with a current Docker, or copy it with skopeo",
        )
    layers = map(Descriptor.parse, manifest["layers"])
    return tuple(Descriptor(_media_type(layer, medium), layer.digest, layer.size) for layer in layers)


def _media_type(layer: Descriptor, medium: Medium) -> str:
    try:
        return LAYERS[layer.media_type]
    except KeyError as error:
        raise ImageError(
            f"{medium.name} has a layer of a kind that can't be built upon",
            evidence=f"{layer.media_type} {layer.digest}",
        ) from error


def _platform(config: Mapping[str, Any], wanted: Platform, medium: Medium) -> Platform:
    platform = Platform.from_json(config)
    if not platform.runs_on(wanted):
        raise ImageError(
            f"{medium.name} is for {platform}, not for {wanted}",
            step='take another image, or say so:  [tool.cannery]  platform = "…"',
        )
    return platform


def _diff_ids(config: Mapping[str, Any], layers: tuple[Descriptor, ...], medium: Medium) -> tuple[Digest, ...]:
    rootfs = config.get("rootfs")
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(found, list) or len(found) != len(layers):
        raise ImageError(
            f"the configuration of {medium.name} does not fit its manifest",
            evidence=f"{len(found or ())} diff IDs for {len(layers)} layers",
        )
    return tuple(Digest.parse(str(each)) for each in found)


def _read_json(medium: Medium, descriptor: Descriptor) -> Mapping[str, Any]:
    return parse_json(_document(medium, descriptor), f"a document of {medium.name}")


def _document(medium: Medium, descriptor: Descriptor) -> bytes:
    if descriptor.size > LARGEST_DOCUMENT:
        raise ImageError(f"a document of {medium.name} is too large", evidence=f"{descriptor.size} bytes")
    return read_blob(medium, descriptor)


def read_blob(medium: Medium, descriptor: Descriptor) -> bytes:
    """The bytes of a small blob; raises :class:`ImageError` where they aren't what its digest says."""
    with medium.blob(descriptor) as stream:
        return b"".join(_checked(stream, descriptor, medium))


def check_blob(medium: Medium, descriptor: Descriptor, progress: Callable[[int, int], None]) -> None:
    """Read a blob to its end and keep nothing; raises :class:`ImageError` where it isn't what its digest says."""
    done = 0
    with medium.blob(descriptor) as stream:
        for data in _checked(stream, descriptor, medium):
            done += len(data)
            progress(done, descriptor.size)


def fetch_blob(medium: Medium, layer: Descriptor, blobs: Blobs, progress: Callable[[int, int], None]) -> None:
    """Read a layer into the store, if it isn't there.

    Raises :class:`ImageError` where it isn't what its digest says.
    """
    path = blobs.blob(layer.digest)
    if path.is_file() and path.stat().st_size == layer.size and used(path):
        return
    done = 0
    with medium.blob(layer) as stream, blobs.new_blob() as (blob, commit):
        for data in _checked(stream, layer, medium):
            blob.write(data)
            done += len(data)
            progress(done, layer.size)
        commit(layer.digest)


def _checked(stream: Readable, descriptor: Descriptor, medium: Medium) -> Iterator[bytes]:
    """The pieces of ``stream``; raises :class:`ImageError` at the end where they aren't the blob of ``descriptor``."""
    reader = HashingReader(stream)
    for data in pieces(reader):
        if reader.size > descriptor.size:
            break
        yield data
    if (reader.digest, reader.size) == (descriptor.digest, descriptor.size):
        return
    cut = reader.size < descriptor.size
    found = f"{reader.size:,} bytes" if cut else reader.digest
    raise ImageError(
        f"a blob of {medium.name} {'is cut off' if cut else 'is not what its digest says'}",
        evidence=f"expected {descriptor.digest}, {descriptor.size:,} bytes\n   found {found}",
        step="fetch it again; where it stays so, make that image anew",
    )
