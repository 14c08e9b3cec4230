"""Layers and a plan become an image: its configuration and its manifest.

OCI image-spec v1.1, config.md and manifest.md.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cannery.errors import ConfigurationError, ImageError
from cannery.image.layer import TIME
from cannery.image.tree import Base, Digest, Image, Layer, Plan, canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONFIG", "INDEX", "MANIFEST", "assemble", "descriptor"]

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_MOST_LAYERS = 127  # as overlay file systems take (docker/docs, storage drivers)
INDEX = "application/vnd.oci.image.index.v1+json"


def assemble(plan: Plan, packed: tuple[Layer, ...]) -> Image:
    """The image of ``plan`` with its trees ``packed`` into layers, which go on top of its base's.

    Raises :class:`ImageError` where that makes more layers than engines take.
    """
    created = _created()
    platform = plan.platform
    layers = (*(plan.base.layers if plan.base else ()), *packed)
    if len(layers) > _MOST_LAYERS:
        raise ImageError(
            f"the image would have {len(layers)} layers, and engines take {_MOST_LAYERS}",
            evidence=f"{len(layers) - len(packed)} of them are the base's",
            step="take a base with fewer layers, or squash it",
        )
    config: dict[str, Any] = {
        "created": created,
        "architecture": platform.architecture,
        "os": platform.os,
        "config": dict(plan.config),
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]},
        "history": [
            *(_history_of(plan.base, created) if plan.base else ()),
            *({"created": created, "created_by": f"cannery: {layer.name}"} for layer in packed),
        ],
    }
    if platform.variant:
        config["variant"] = platform.variant
    blob = canonical_json(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, Digest.of(blob), len(blob)),
        "layers": [descriptor(layer.media_type, layer.digest, layer.size) for layer in layers],
    }
    return Image(layers, config, manifest, platform)


def _history_of(base: Base, created: str) -> list[Any]:
    """How the base's layers came about.

    Engines count on an entry for each layer that isn't empty, and Podman on a time in each.
    """
    history = base.config.get("history") or []
    if sum(not entry.get("empty_layer") for entry in history) != len(base.layers):
        history = [{"created_by": "base"}] * len(base.layers)
    return [{"created": created, **entry} for entry in history]


def descriptor(media_type: str, digest: Digest, size: int, **more: object) -> Mapping[str, object]:
    """A reference to a blob (OCI image-spec v1.1, descriptor.md)."""
    return {"mediaType": media_type, "digest": str(digest), "size": size, **more}


def _created() -> str:
    """A fixed time, or that of ``SOURCE_DATE_EPOCH`` (reproducible-builds.org), as RFC 3339 writes it."""
    text = os.environ.get("SOURCE_DATE_EPOCH") or str(TIME)
    try:
        return datetime.fromtimestamp(int(text), UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigurationError(f"SOURCE_DATE_EPOCH={text!r} is no number of seconds", evidence=str(error)) from error
