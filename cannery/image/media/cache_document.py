"""The manifest of a cache of builds: layers with their keys, and records.

An artifact as the OCI image-spec v1.1 has them (manifest.md, guidelines for artifact usage). Its layers are those of an
image in the same repository, so they lie there once; then come the records, compressed. Small records, which are worth
no request, are an annotation.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ImageError
from cannery.image.artifact import EMPTY_CONFIG
from cannery.image.image import canonical_json, descriptor
from cannery.image.media.medium import Descriptor, decoded, parse_json
from cannery.image.media_types import EMPTY, MANIFEST
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CacheDocument", "packed_record", "unpacked_record"]


_ARTIFACT: Final = "application/vnd.cannery.build-cache.v1"
_RECORD: Final = "application/vnd.cannery.record.v1+json+gzip"
_KEY: Final = "dev.cannery.key"  # of a layer
_NAME: Final = "dev.cannery.record"  # of a record: its kind and key
_SMALL: Final = "dev.cannery.records"  # of the manifest: small records by their names
_LARGEST: Final = 1 << 28  # bytes of a record


@dataclass(frozen=True, slots=True)
class CacheDocument:
    """What a cache has; records go by ``KIND/KEY``."""

    layers: Mapping[str, Descriptor] = field(default_factory=dict)  # by their keys
    records: Mapping[str, Descriptor] = field(default_factory=dict)
    small: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # records themselves

    @classmethod
    def parse(cls, data: bytes, what: str) -> CacheDocument:
        """Read a manifest; raises :class:`ImageError` for one that can't be."""
        manifest = parse_json(data, what)
        try:
            small = decoded((manifest.get("annotations") or {}).get(_SMALL, "{}").encode(), what)
            layers = dict(_annotated(manifest["layers"], _KEY))
            records = dict(_annotated(manifest["layers"], _NAME))
            return cls(layers, records, {name: MappingProxyType(value) for name, value in small.items()})
        except (KeyError, TypeError, AttributeError, UnicodeEncodeError) as error:
            raise ImageError(f"{what} is malformed", evidence=repr(error)) from error

    def __contains__(self, name: str) -> bool:
        return name in self.small or name in self.records

    @property
    def blob(self) -> bytes:
        """The manifest as it's stored."""
        layers = [
            *(_described(each, _KEY, key) for key, each in sorted(self.layers.items())),
            *(_described(each, _NAME, name) for name, each in sorted(self.records.items())),
        ]
        return canonical_json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "artifactType": _ARTIFACT,
                "config": descriptor(EMPTY, Digest.of(EMPTY_CONFIG), len(EMPTY_CONFIG)),
                "layers": layers,
                "annotations": {_SMALL: canonical_json(self.small).decode()},
            }
        )


def packed_record(text: bytes) -> tuple[Descriptor, bytes]:
    """A record as it's stored, the same bytes for the same text, and how the manifest refers to it."""
    data = gzip.compress(text, mtime=0)
    return Descriptor(_RECORD, Digest.of(data), len(data)), data


def unpacked_record(data: bytes, what: str) -> dict[str, Any]:
    """The record that is stored as ``data``; raises :class:`ImageError` where that's none."""
    try:
        text = zlib.decompressobj(wbits=31).decompress(data, _LARGEST)
    except zlib.error as error:
        raise ImageError(f"{what} is damaged", evidence=str(error)) from error
    return dict(parse_json(text, what))


def _annotated(descriptors: list[Any], annotation: str) -> Iterator[tuple[str, Descriptor]]:
    for each in descriptors:
        if value := (each.get("annotations") or {}).get(annotation):
            yield str(value), Descriptor.parse(each)


def _described(each: Descriptor, annotation: str, value: str) -> Mapping[str, object]:
    return descriptor(each.media_type, each.digest, each.size, annotations={annotation: value})
