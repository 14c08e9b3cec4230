"""Artifacts: what is no image and says something about one, by naming it as its subject (OCI image-spec v1.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cannery.image.image import canonical_json, descriptor
from cannery.image.media_types import EMPTY, MANIFEST
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EMPTY_CONFIG", "Artifact", "Attachment", "attachment_of", "listed"]

EMPTY_CONFIG: Final = b"{}"  # of what is no image
_TITLE: Final = "org.opencontainers.image.title"  # the name of a file that a blob is written to


@dataclass(frozen=True, slots=True)
class Attachment:
    """An artifact as a registry takes it: its manifest, and the blobs that this names."""

    manifest: bytes
    blobs: Mapping[str, bytes]  # by names for people

    @property
    def digest(self) -> Digest:
        """The digest of the manifest."""
        return Digest.of(self.manifest)


@dataclass(frozen=True, slots=True)
class Artifact:
    """One document about an image."""

    type: str  # what it is, a media type
    content: bytes
    title: str = ""  # what a file of it is called
    annotations: Mapping[str, str] = field(default_factory=dict)


def attachment_of(artifact: Artifact, subject: Mapping[str, Any]) -> Attachment:
    """``artifact`` as it's attached to ``subject``, a descriptor; the same bytes each time."""
    digest = Digest.of(artifact.content)
    title = {_TITLE: artifact.title} if artifact.title else {}
    layer = descriptor(artifact.type, digest, len(artifact.content), **({"annotations": title} if title else {}))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact.type,
        "config": descriptor(EMPTY, Digest.of(EMPTY_CONFIG), len(EMPTY_CONFIG)),
        "layers": [layer],
        "subject": {name: subject[name] for name in ("mediaType", "digest", "size")},
        **({"annotations": artifact.annotations} if artifact.annotations else {}),
    }
    blobs = {"configuration": EMPTY_CONFIG, artifact.title or artifact.type: artifact.content}
    return Attachment(canonical_json(manifest), blobs)


def listed(manifest: Mapping[str, Any], digest: Digest, size: int) -> Mapping[str, Any]:
    """How a list of referrers has the artifact of ``manifest`` (OCI distribution-spec v1.1, listing referrers)."""
    kind = manifest.get("artifactType") or (manifest.get("config") or {}).get("mediaType")
    more = {"artifactType": kind, "annotations": manifest.get("annotations")}
    media_type = str(manifest.get("mediaType") or MANIFEST)
    return descriptor(media_type, digest, size, **{name: value for name, value in more.items() if value})
