"""Platforms of images: an operating system and an architecture."""

from __future__ import annotations

from dataclasses import dataclass

from cannery.errors import ImageError

__all__ = ["Platform"]


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and an architecture by Go's names (OCI image-spec v1.1, config.md)."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``linux/arm64`` or ``linux/arm/v7``."""
        parts = text.split("/")
        if len(parts) not in {2, 3} or not all(parts):
            raise ImageError(f"not a platform: {text!r}", step="write it as in  linux/amd64  or  linux/arm64/v8")
        return cls(*parts)

    def agrees(self, other: Platform) -> bool:
        """Whether both may be one machine: a variant that isn't told is any."""
        same = (self.os, self.architecture) == (other.os, other.architecture)
        return same and (self.variant == other.variant or not (self.variant and other.variant))

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))
