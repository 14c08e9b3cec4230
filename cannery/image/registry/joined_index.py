"""An index in a registry that several builds add their platforms to, each from a machine of its own.

A tag can't be written on condition that it's still what it was, so whoever adds to an index reads it again afterwards.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import RegistryError
from cannery.image.image import canonical_json, descriptor, index_of
from cannery.image.media_types import INDEX, INDEXES
from cannery.image.platform import Platform
from cannery.image.registry.push import put_document
from cannery.workspace.digest import Digest
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cannery.image.image import Image, ImageIndex
    from cannery.image.registry.client import Repository

__all__ = ["join_index"]

_ATTEMPTS: Final = 5
_PAUSE: Final = 0.2  # seconds, times the attempt's number
_LARGEST: Final = 4 << 20  # bytes of a configuration


def join_index(repository: Repository, image: Image | ImageIndex, tag: str) -> Digest:
    """Let ``tag`` lead to an index with ``image``, which is there, and the images of other platforms that it leads to.

    A single image that it leads to becomes one of those. Returns the digest of the index. Raises
    :class:`RegistryError` where the registry refuses, or others take the image out again each time.
    """
    own = [each.descriptor for each in image.images]
    for attempt in range(_ATTEMPTS + 1):
        found = repository.found_manifest(tag)
        there = [] if found is None else _entries(repository, found)
        joined = canonical_json(index_of(_joined(there, own)))
        if found == joined:
            return Digest.of(joined)
        if attempt < _ATTEMPTS:
            put_document(repository, (INDEX, joined), None)
            put_document(repository, (INDEX, joined), tag)
            time.sleep(_PAUSE * attempt)
    raise RegistryError(
        f"{repository.reference.repository}:{tag} does not keep what is added to it",
        evidence=f"it was written {_ATTEMPTS} times, and others wrote it meanwhile each time",
        step="push again when nobody else does",
    )


def _joined(there: Sequence[Mapping[str, Any]], own: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The entries of an index, those of ``own`` in the places of others for the same platforms, or at the end."""
    mine = {_platform(each): each for each in own}
    kept = [mine.pop(_platform(each), each) for each in there]
    return [*kept, *mine.values()]


def _platform(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    platform = Platform.from_json(entry.get("platform") or {})
    return platform.os, platform.architecture, platform.told_variant


def _entries(repository: Repository, found: bytes) -> list[Mapping[str, Any]]:
    """The entries of the index that was ``found``, or the one that a single image would be."""
    try:
        document = json_value(found)
        if document.get("mediaType") in INDEXES or "manifests" in document:
            return [dict(each) for each in document["manifests"]]
        with repository.blob(document["config"]["digest"]) as stream:
            platform = Platform.from_json(json_value(stream.read(_LARGEST) or b""))
        kind = str(document["mediaType"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RegistryError(
            f"what {repository.reference.repository} has under that tag is neither an image nor an index",
            evidence=found[:100].decode("utf-8", "replace"),
            step="push to another tag, or without --update-index",
        ) from None
    return [descriptor(kind, Digest.of(found), len(found), platform=platform.as_json())]
