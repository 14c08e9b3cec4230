"""Layers become an image: its configuration and its manifest (OCI image-spec v1.1, config.md and manifest.md)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cannery.errors import ConfigurationError, ImageError
from cannery.image.content import TIME
from cannery.image.media_types import CONFIG, INDEX, MANIFEST
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cannery.image.layer import Layer
    from cannery.image.platform import Platform


__all__ = [
    "CREATED_BY",
    "Base",
    "Image",
    "ImageIndex",
    "assemble",
    "canonical_json",
    "descriptor",
    "image_of",
    "index_of",
]

CREATED_BY = "cannery: "  # how the history says that a layer is ours; its name follows
_MOST_LAYERS = 127  # as overlay file systems take (docker/docs, storage drivers)


def assemble(packed: Sequence[Layer], config: Mapping[str, Any], platform: Platform, base: Base | None = None) -> Image:
    """The image of the layers ``packed``, on top of those of its ``base``.

    ``config`` says how a container starts: the property "config" of an image's configuration (OCI image-spec v1.1,
    config.md). Raises :class:`ImageError` where the image has more layers than engines take.
    """
    created = _created()
    layers = (*(base.layers if base else ()), *packed)
    if len(layers) > _MOST_LAYERS:
        raise ImageError(
            f"the image would have {len(layers)} layers, and engines take {_MOST_LAYERS}",
            evidence=f"{len(layers) - len(packed)} of them are the base's",
            step="take a base with fewer layers, or squash it",
        )
    configuration: dict[str, Any] = {
        "created": created,
        **platform.as_json(),
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]},
        "history": [
            *(_history_of(base, created) if base else ()),
            *({"created": created, "created_by": f"{CREATED_BY}{layer.name}"} for layer in packed),
        ],
    }
    blob = canonical_json(configuration)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, Digest.of(blob), len(blob)),
        "layers": [descriptor(layer.media_type, layer.digest, layer.size) for layer in layers],
    }
    return Image(layers, configuration, manifest, platform)


def image_of(base: Base) -> Image:
    """The image that consists of ``base`` alone."""
    return assemble((), base.config.get("config") or {}, base.platform, base)


def _history_of(base: Base, created: str) -> list[Any]:
    """The history of the base, made up where its own doesn't fit its layers.

    Engines want an entry for each layer that isn't empty, and Podman a time in each.
    """
    history = base.config.get("history") or []
    if sum(not entry.get("empty_layer") for entry in history) != len(base.layers):
        history = [{"created_by": "base"}] * len(base.layers)
    return [{"created": created, **entry} for entry in history]


def descriptor(media_type: str, digest: Digest, size: int, **more: object) -> Mapping[str, object]:
    """A reference to a blob (OCI image-spec v1.1, descriptor.md)."""
    return {"mediaType": media_type, "digest": str(digest), "size": size, **more}


def _created() -> str:
    """The time that is always the same, or that of ``SOURCE_DATE_EPOCH`` (reproducible-builds.org), by RFC 3339."""
    text = os.environ.get("SOURCE_DATE_EPOCH") or str(TIME)
    try:
        return datetime.fromtimestamp(int(text), UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigurationError(
            f"SOURCE_DATE_EPOCH={text!r} is no number of seconds",
            evidence=str(error),
            step="set it to seconds since the epoch (git log -1 --format=%ct), or unset it",
        ) from error


@dataclass(frozen=True)
class Image:
    """Layers and a configuration; its digest follows from them."""

    layers: tuple[Layer, ...]
    config: Mapping[str, Any]  # OCI image-spec v1.1, config.md
    manifest: Mapping[str, Any]  # OCI image-spec v1.1, manifest.md
    platform: Platform

    @cached_property
    def config_blob(self) -> bytes:
        """The configuration as it is stored."""
        return canonical_json(self.config)

    @cached_property
    def manifest_blob(self) -> bytes:
        """The manifest as it is stored."""
        return canonical_json(self.manifest)

    @property
    def id(self) -> Digest:
        """The digest of the configuration: the image ID of engines."""
        return Digest.of(self.config_blob)

    @property
    def digest(self) -> Digest:
        """The digest of the manifest: the image's digest in registries."""
        return Digest.of(self.manifest_blob)

    @property
    def descriptor(self) -> Mapping[str, Any]:
        """How an index refers to the image (OCI image-spec v1.1, image-index.md)."""
        return descriptor(MANIFEST, self.digest, len(self.manifest_blob), platform=self.platform.as_json())

    @property
    def images(self) -> tuple[Image, ...]:
        """The image itself, as it stands for one platform alone."""
        return (self,)

    @property
    def documents(self) -> tuple[tuple[str, bytes], ...]:
        """Its manifest, with the media type."""
        return ((MANIFEST, self.manifest_blob),)


@dataclass(frozen=True)
class ImageIndex:
    """Images of the same program, each for another platform: one index (OCI image-spec v1.1, image-index.md)."""

    images: tuple[Image, ...]  # in the order of the index

    @cached_property
    def index_blob(self) -> bytes:
        """The index as it is stored."""
        return canonical_json(index_of([image.descriptor for image in self.images]))

    @property
    def digest(self) -> Digest:
        """The digest of the index, by which each platform takes its own image."""
        return Digest.of(self.index_blob)

    @property
    def descriptor(self) -> Mapping[str, Any]:
        """How another index refers to this one."""
        return descriptor(INDEX, self.digest, len(self.index_blob))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of all images; one that several share is there several times."""
        return tuple(layer for image in self.images for layer in image.layers)

    @property
    def documents(self) -> tuple[tuple[str, bytes], ...]:
        """The manifests and the index, with their media types; what another one refers to comes before it."""
        return (*(each for image in self.images for each in image.documents), (INDEX, self.index_blob))


def index_of(entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """An index of ``entries`` (OCI image-spec v1.1, image-index.md)."""
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}


@dataclass(frozen=True)
class Base:
    """An image that was pulled, for others to be built upon: its layers and its configuration as they were."""

    name: str  # for messages: as the user wrote it
    digest: Digest  # of what that name leads to: a manifest, or an index of several
    manifest: Digest  # of the manifest for the platform
    layers: tuple[Layer, ...]
    config: Mapping[str, Any]  # OCI image-spec v1.1, config.md
    platform: Platform
    reference: str | None = None  # in a registry, written out in full; None for one from this machine


def canonical_json(value: object) -> bytes:
    """JSON in one spelling, so that equal values have equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=dict).encode()
