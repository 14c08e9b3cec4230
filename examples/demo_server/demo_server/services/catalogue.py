"""The catalogue of books, which comes with the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

from ..models.book import Book

__all__ = ["Catalogue"]


@dataclass(frozen=True)
class Catalogue:
    """Books, in the order of their years."""

    books: tuple[Book, ...]

    @classmethod
    def read(cls) -> Catalogue:
        """The catalogue in ``resources``."""
        text = files("demo_server").joinpath("resources", "books.json").read_text(encoding="utf-8")
        return cls(tuple(sorted((Book(**each) for each in json.loads(text)), key=lambda book: book.year)))

    def by(self, author: str) -> tuple[Book, ...]:
        """The books whose author has ``author`` in the name."""
        return tuple(book for book in self.books if author.casefold() in book.author.casefold())

    def find(self, slug: str) -> Book | None:
        """The book that is called so in addresses."""
        return next((book for book in self.books if book.slug == slug), None)
