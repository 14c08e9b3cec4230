"""Books."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ..utils.slugs import slug

__all__ = ["Book"]


@dataclass(frozen=True, slots=True)
class Book:
    """A book as the catalogue has it."""

    title: str
    author: str
    year: int

    @property
    def slug(self) -> str:
        """Its name in addresses."""
        return slug(self.title)

    def as_json(self) -> dict[str, str | int]:
        """The book as it's sent."""
        return {**asdict(self), "slug": self.slug}
