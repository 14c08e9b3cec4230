"""The protocol of media (a folder, an archive, a registry), and the documents in them that name blobs by digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from cannery.errors import ImageError
from cannery.image.media_types import INDEXES
from cannery.workspace.digest import Digest
from cannery.workspace.documents import json_value
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from cannery.image.hashing import Readable
    from cannery.image.image import Image
    from cannery.workspace.workspace import Progress

__all__ = [
    "LARGEST_DOCUMENT",
    "Descriptor",
    "Medium",
    "WritableMedium",
    "check",
    "decoded",
    "document_in",
    "is_index",
    "parse_json",
]

LARGEST_DOCUMENT: Final = 8 << 20  # bytes of an index, a manifest or a configuration


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to a blob (OCI image-spec v1.1, descriptor.md)."""

    media_type: str
    digest: Digest
    size: int  # bytes

    @classmethod
    def parse(cls, value: Any) -> Descriptor:
        """Read a descriptor; raises :class:`ImageError` for what isn't one."""
        try:
            size = value["size"]
            if type(size) is not int or size < 0:
                raise ImageError(f"a blob of {size!r} bytes can't be")
            return cls(str(value.get("mediaType") or ""), Digest.parse(str(value["digest"])), size)
        except (KeyError, TypeError, AttributeError) as error:
            raise ImageError("a reference to a blob is malformed", evidence=repr(value)[:200]) from error


class Medium(Protocol):
    """A medium, opened at one image; :func:`cannery.image.pull` reads through this."""

    @property
    def name(self) -> str:
        """The image as the user calls it, for messages."""
        ...

    def root(self) -> bytes:
        """The manifest of the image, or the index of its manifests for several platforms, as it is stored."""
        ...

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[Readable]:
        """The bytes of the blob or the manifest that ``descriptor`` refers to, not yet compared with its digest."""
        ...


class WritableMedium(Medium, Protocol):
    """A medium that images can be written to."""

    def write(self, image: Image, references: Sequence[str] = (), *, progress: Progress = silent) -> object:
        """Write ``image`` under the names ``references``; ``progress`` is told the bytes of layers that are done."""
        ...


def document_in(stream: Readable, what: str) -> bytes:
    """All of ``stream``, which is a document; raises :class:`ImageError` for what is larger than any is."""
    parts, left = [], LARGEST_DOCUMENT
    while left >= 0 and (data := stream.read(left + 1)):
        parts.append(data)
        left -= len(data)
    if left < 0:
        raise ImageError(f"{what} is too large", evidence=f"more than {LARGEST_DOCUMENT:,} bytes")
    return b"".join(parts)


def decoded(data: bytes, what: str) -> Any:
    """The value of the JSON text ``data``; raises :class:`ImageError` where it's none."""
    try:
        return json_value(data)
    except ValueError as error:
        raise ImageError(f"{what} is no JSON", evidence=str(error)) from error


def parse_json(data: bytes, what: str) -> Mapping[str, Any]:
    """Read a document of an image; raises :class:`ImageError` for what isn't one."""
    document = decoded(data, what)
    if not isinstance(document, dict):
        raise ImageError(f"{what} is no JSON object")
    return document


def check(value: object, schema: object, what: str) -> None:
    """Raise :class:`ImageError` where ``value``, decoded JSON, hasn't the form of ``schema``, a type for msgspec."""
    try:
        msgspec.convert(value, schema)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise ImageError(f"{what} is malformed", evidence=str(error)) from error


def is_index(document: Mapping[str, Any]) -> bool:
    """True for an index, False for a manifest; the media type may be absent in both."""
    return document.get("mediaType") in INDEXES or "manifests" in document
