"""Digests: names of bytes, made of the bytes (OCI image-spec v1.1, descriptor.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from cannery.errors import ImageError

__all__ = ["Digest"]


class Opens(Protocol):
    """A reference to bytes, such as a file's."""

    def open(self) -> BinaryIO:
        """Open the bytes for reading, at the first one."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest, written ``sha256:…`` (OCI image-spec v1.1, descriptor.md)."""

    hex: str  # 64 digits, in lower case

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The digest of ``data``."""
        return cls(hashlib.sha256(data).hexdigest())

    @classmethod
    def of_content(cls, content: Opens) -> Digest:
        """The digest of the bytes that ``content`` opens, which needn't fit into memory."""
        sha256 = hashlib.sha256()
        with content.open() as stream:
            while data := stream.read(1 << 20):
                sha256.update(data)
        return cls(sha256.hexdigest())

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``sha256:…``; raises :class:`ImageError` for anything else."""
        algorithm, _, digits = text.partition(":")
        if algorithm != "sha256" or len(digits) != 64 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004
            raise ImageError(f"not a SHA-256 digest: {text!r}")
        return cls(digits)

    def __str__(self) -> str:
        return f"sha256:{self.hex}"
