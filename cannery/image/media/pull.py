"""An image's blobs come into the cache, each compared with its digest on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cannery.errors import ImageError
from cannery.image.hashing import HashingReader, pieces
from cannery.image.media.platforms import choose
from cannery.image.media.source import Descriptor, check, parse_json
from cannery.image.media_types import INDEXES, LAYERS
from cannery.image.platform import Platform
from cannery.workspace.cache import used
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.image.hashing import Readable
    from cannery.image.media.source import Medium
    from cannery.workspace.workspace import Workspace

__all__ = ["Pulled", "pull"]

_LARGEST_DOCUMENT: Final = 8 << 20  # bytes of a configuration or a manifest
_DEEPEST: Final = 3  # indexes in one another


@dataclass(frozen=True, slots=True)
class Pulled:
    """An image whose blobs lie in the cache."""

    digest: Digest  # of what the name leads to
    manifest: Digest
    layers: tuple[Descriptor, ...]  # with the specification's media types
    diff_ids: tuple[Digest, ...]
    config: Mapping[str, Any]  # OCI image-spec v1.1, config.md
    platform: Platform


class _InheritedSettings(msgspec.Struct):
    """How containers start, as far as that is inherited."""

    Env: list[str] | None = None
    ExposedPorts: dict[str, Any] | None = None
    Labels: dict[str, str] | None = None
    User: str | None = None
    Volumes: dict[str, Any] | None = None


class _Config(msgspec.Struct):
    """What is read of a configuration (OCI image-spec v1.1, config.md)."""

    os: str
    architecture: str
    variant: str | None = None
    config: _InheritedSettings | None = None
    history: list[dict[str, Any]] | None = None


def pull(source: Medium, wanted: Platform, workspace: Workspace) -> Pulled:
    """Bring the image of ``source`` for the platform ``wanted`` into the cache; what is there already is not asked for.

    Raises :class:`ImageError` for what isn't as its digest says, or isn't there for that platform.
    """
    workspace.progress(f"looking at the base {source.name}")
    root = source.root()
    document, digest = root, Digest.of(root)
    manifest = parse_json(root, f"the manifest of {source.name}")
    for _ in range(_DEEPEST):
        if not _is_index(manifest):
            break
        descriptor = choose(manifest, wanted, source.name)
        document = _document(source, descriptor)
        manifest = parse_json(document, f"the manifest of {source.name}")
    layers = _layers(manifest, source)
    config = parse_json(
        _document(source, Descriptor.parse(manifest.get("config"))), f"the configuration of {source.name}"
    )
    check(config, _Config, f"the configuration of {source.name}")
    platform = _platform(config, wanted, source)
    diff_ids = _diff_ids(config, layers, source)
    for number, layer in enumerate(layers):
        _fetch(source, layer, f"fetching the base, layer {number + 1} of {len(layers)}", workspace)
    return Pulled(digest, Digest.of(document), layers, diff_ids, config, platform)


def _is_index(document: Mapping[str, Any]) -> bool:
    """Whether it's an index: its media type may be absent."""
    return document.get("mediaType") in INDEXES or "manifests" in document


def _layers(manifest: Mapping[str, Any], source: Medium) -> tuple[Descriptor, ...]:
    if not isinstance(manifest.get("layers"), list) or _is_index(manifest):
        raise ImageError(
            f"{source.name} is no image that cannery can read",
            evidence=f"its manifest is of the kind {manifest.get('mediaType') or manifest.get('schemaVersion')}",
            step="push it again with a current Docker, or copy it with skopeo",
        )
    layers = map(Descriptor.parse, manifest["layers"])
    return tuple(Descriptor(_media_type(layer, source), layer.digest, layer.size) for layer in layers)


def _media_type(layer: Descriptor, source: Medium) -> str:
    try:
        return LAYERS[layer.media_type]
    except KeyError as error:
        raise ImageError(
            f"{source.name} has a layer of a kind that can't be built upon",
            evidence=f"{layer.media_type} {layer.digest}",
        ) from error


def _platform(config: Mapping[str, Any], wanted: Platform, source: Medium) -> Platform:
    platform = Platform.from_json(config)
    if not platform.runs_on(wanted):
        raise ImageError(
            f"the base {source.name} is for {platform}, not for {wanted}",
            step='take another base, or say so:  [tool.cannery]  platform = "…"',
        )
    return platform


def _diff_ids(config: Mapping[str, Any], layers: tuple[Descriptor, ...], source: Medium) -> tuple[Digest, ...]:
    rootfs = config.get("rootfs")
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(found, list) or len(found) != len(layers):
        raise ImageError(
            f"the configuration of {source.name} does not fit its manifest",
            evidence=f"{len(found or ())} diff IDs for {len(layers)} layers",
        )
    return tuple(Digest.parse(str(each)) for each in found)


def _document(source: Medium, descriptor: Descriptor) -> bytes:
    if descriptor.size > _LARGEST_DOCUMENT:
        raise ImageError(f"a document of {source.name} is too large", evidence=f"{descriptor.size} bytes")
    with source.blob(descriptor) as stream:
        return b"".join(_checked(stream, descriptor, source))


def _fetch(source: Medium, layer: Descriptor, title: str, workspace: Workspace) -> None:
    """Have a layer in the cache."""
    path = workspace.cache.blob(layer.digest)
    if path.is_file() and path.stat().st_size == layer.size:
        used(path)
        return
    done = 0
    with source.blob(layer) as stream, workspace.cache.new_blob() as (blob, commit):
        for data in _checked(stream, layer, source):
            blob.write(data)
            done += len(data)
            workspace.progress(title, done, layer.size)
        commit(layer.digest)


def _checked(stream: Readable, descriptor: Descriptor, source: Medium) -> Iterator[bytes]:
    """The pieces of ``stream``; raises :class:`ImageError` at their end where they aren't what was promised."""
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
        f"a blob of {source.name} {'is cut off' if cut else 'is not what its digest says'}",
        evidence=f"expected {descriptor.digest}, {descriptor.size:,} bytes\n   found {found}",
        step="fetch it again; where it stays so, make that image anew",
    )
