"""From an image that was built, or the name of one, to the inventory of what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.bom.assembled import About, inventory_of_layers
from cannery.recipes.any_image import pulled_image
from cannery.recipes.layer_contents import contents_of_layer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.bom.inventory import Inventory
    from cannery.containers.engine.discovery import Choice
    from cannery.image.layer import Layer
    from cannery.image.platform import Platform
    from cannery.project.app import App
    from cannery.recipes.plan import Built, LazyContents
    from cannery.workspace.workspace import Workspace

__all__ = ["about", "inventory_of", "inventory_of_image", "inventory_of_parts"]


def inventory_of(built: Built, workspace: Workspace) -> Inventory:
    """The inventory of an image that was built: the same that lies in it, where the settings say so."""
    return inventory_of_parts(about(built.app, built.image.platform), built.image.layers, built.contents, workspace)


def inventory_of_image(name: str, engine: Choice, platform: Platform | None, workspace: Workspace) -> Inventory:
    """The inventory of the image called ``name``, for ``platform`` or this machine's, whoever made it.

    Raises as :func:`pulled_image` does.
    """
    pulled = pulled_image(name, engine, platform, workspace)
    labels = (pulled.config.get("config") or {}).get("Labels") or {}
    title = labels.get("org.opencontainers.image.title") or name
    told = About(str(title), str(labels.get("org.opencontainers.image.version") or ""), str(pulled.platform))
    return inventory_of_parts(told, pulled.layers, None, workspace)


def inventory_of_parts(
    about: About, layers: Iterable[Layer], contents: LazyContents | None, workspace: Workspace
) -> Inventory:
    """The inventory of an image with ``layers``, of which a recipe knows the ``contents`` besides."""
    planned = contents.make() if contents is not None else None
    return inventory_of_layers(about, [contents_of_layer(layer, workspace) for layer in layers], planned)


def about(app: App, platform: Platform) -> About:
    """What the image of ``app`` for ``platform`` is called in its bill of materials."""
    return About(app.name.rpartition("/")[2], app.metadata.version or "", str(platform))
