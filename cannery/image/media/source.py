"""What every medium that holds images has in common: documents that name blobs by their digests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from cannery.errors import ImageError
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from cannery.image.hashing import Readable

__all__ = ["Descriptor", "Medium", "check", "parse_json"]


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
    """A medium that holds an image: a folder, an archive, a registry."""

    @property
    def name(self) -> str:
        """What the user calls the image."""
        ...

    def root(self) -> bytes:
        """The manifest, or the index of several, that the name leads to."""
        ...

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[Readable]:
        """The bytes that ``descriptor`` refers to; nobody has compared their digest yet."""
        ...


def parse_json(data: bytes, what: str) -> Mapping[str, Any]:
    """Read a document of an image; raises :class:`ImageError` for what isn't one."""
    try:
        document = json.loads(data)
    except ValueError as error:
        raise ImageError(f"{what} is no JSON", evidence=str(error)) from error
    if not isinstance(document, dict):
        raise ImageError(f"{what} is no JSON object")
    return document


def check(value: object, schema: object, what: str) -> None:
    """Raise :class:`ImageError` where ``value``, decoded JSON, is not of the form of ``schema``."""
    try:
        msgspec.convert(value, schema)
    except msgspec.ValidationError as error:
        raise ImageError(f"{what} is malformed", evidence=str(error)) from error
