"""The application: Sanic with every blueprint that the package ``routes`` holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sanic import Blueprint, Sanic

from demo_server.services.catalogue import Catalogue
from demo_server.utils.discovery import discover
from demo_server.utils.stopping import stop_once_started

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["blueprints", "create_app"]

_ROUTES = "demo_server.routes"


def create_app(name: str = "demo_server") -> Sanic[Any, Any]:
    """A new application; each worker process makes its own."""
    app: Sanic[Any, Any] = Sanic(name)
    app.ctx.catalogue = Catalogue.read()
    app.config.TOUCHUP = False  # or Sanic reads its own sources, which no image has
    app.main_process_ready(stop_once_started)
    for blueprint in blueprints():
        app.blueprint(blueprint)
    return app


def blueprints(package: str = _ROUTES) -> Iterator[Blueprint]:
    """The blueprints in the modules of ``package``, each once, in the order of the modules' names."""
    seen: set[int] = set()
    for module in discover(package):
        for value in vars(module).values():
            if isinstance(value, Blueprint) and id(value) not in seen:
                seen.add(id(value))
                yield value
