"""The catalogue of books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sanic import Blueprint, HTTPResponse, NotFound, Request, json

if TYPE_CHECKING:
    from ..services.catalogue import Catalogue

blueprint = Blueprint("books", url_prefix="/books")


@blueprint.get("/")
async def listed(request: Request) -> HTTPResponse:
    """Every book, or those of an author."""
    catalogue: Catalogue = request.app.ctx.catalogue
    return json({"books": [book.as_json() for book in catalogue.by(request.args.get("author", ""))]})


@blueprint.get("/<slug:str>")
async def one(request: Request, slug: str) -> HTTPResponse:
    """One book by its slug."""
    catalogue: Catalogue = request.app.ctx.catalogue
    book = catalogue.find(slug)
    if book is None:
        raise NotFound(f"there is no book {slug!r}")
    return json(book.as_json())
