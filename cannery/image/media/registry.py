"""An image in a registry."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.errors import ImageError
from cannery.image.media_types import INDEXES, MANIFESTS
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.hashing import Readable
    from cannery.image.media.source import Descriptor
    from cannery.image.registry.client import Repository
    from cannery.image.registry.reference import Reference

__all__ = ["InRegistry"]


@dataclass(frozen=True)
class InRegistry:
    """The image that ``reference`` names."""

    reference: Reference
    repository: Repository
    name: str

    def root(self) -> bytes:
        """The manifest or the index; raises :class:`ImageError` where it isn't the one of the reference's digest."""
        data = self.repository.manifest(self.reference.version)
        if self.reference.digest not in {None, found := Digest.of(data)}:
            raise ImageError(
                f"{self.reference.registry} hands out something else for {self.name}",
                evidence=f"expected {self.reference.digest}\n   found {found}",
                step="don't trust what lies between you and that registry",
            )
        return data

    @contextmanager
    def blob(self, descriptor: Descriptor) -> Iterator[Readable]:
        """The bytes of a blob, or of a manifest."""
        if descriptor.media_type in {*INDEXES, *MANIFESTS}:
            yield io.BytesIO(self.repository.manifest(str(descriptor.digest)))
            return
        with self.repository.blob(str(descriptor.digest)) as stream:
            yield stream
