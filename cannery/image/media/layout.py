"""An image in a folder (OCI image-spec v1.1, image-layout.md)."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from cannery.errors import ConfigurationError, ImageError
from cannery.image.image import canonical_json
from cannery.image.media.source import Descriptor, check, parse_json
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from cannery.image.hashing import Readable

__all__ = ["Layout"]


class _IndexEntry(msgspec.Struct):
    annotations: dict[str, str] | None = None


class _Index(msgspec.Struct):
    """What is read of ``index.json``."""

    manifests: list[_IndexEntry]


_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True)
class Layout:
    """The image of that reference in ``folder``, or its only one."""

    folder: Path
    reference: str | None

    @property
    def name(self) -> str:
        """What the user calls the image."""
        return f"oci:{self.folder}" + (f":{self.reference}" if self.reference else "")

    @property
    def index(self) -> Path:
        """The file that changes when the layout does."""
        return self.folder / "index.json"

    def root(self) -> bytes:
        """The manifest or the index that the reference leads to."""
        if not self.index.is_file():
            raise ImageError(
                f"there is no image in {self.folder}",
                evidence=f"an OCI layout has a file {self.index}",
                step="make one, for example with  skopeo copy docker://python:3.11-slim oci:DIR:latest",
            )
        with explained(self.index, "read"):
            index = parse_json(self.index.read_bytes(), str(self.index))
        check(index, _Index, str(self.index))
        manifests = index["manifests"]
        chosen = [each for each in manifests if self.reference in {None, *_names(each)}]
        if len(chosen) > 1 and all(each.get("platform") for each in chosen):
            return canonical_json({**index, "manifests": chosen})  # one image for several platforms
        if len(chosen) != 1:
            there = sorted({name for each in manifests for name in _names(each)})
            raise ConfigurationError(
                f"{self.name} names {'no image' if not chosen else f'{len(chosen)} images'}",
                evidence=f"there are: {', '.join(there) or 'none with a name'}",
                step=f"name one of them:  oci:{self.folder}:{there[0] if there else 'NAME'}",
            )
        with self.blob(Descriptor.parse(chosen[0])) as stream:
            return stream.read() or b""

    @contextmanager
    def blob(self, descriptor: Descriptor) -> Iterator[Readable]:
        """The bytes of a blob."""
        path = self.folder / "blobs" / "sha256" / descriptor.digest.hex
        if not path.is_file():
            raise ImageError(f"{self.name} lacks a blob", evidence=f"there is no file {path}", step="make it anew")
        with explained(path, "read"), path.open("rb") as stream:
            yield stream


def _names(entry: Mapping[str, Any]) -> list[str]:
    names = entry.get("annotations") or {}
    return [names[_NAME]] if names.get(_NAME) else []
