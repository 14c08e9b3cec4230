"""From an app, or the name of an image, to the inventory of what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.bom.assembled import About, inventory_of_layers
from cannery.bom.layer_contents import ContainedFile, contained_files
from cannery.recipes.any_image import pulled_image
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.bom.inventory import Inventory
    from cannery.containers.engine.discovery import Choice
    from cannery.image.layer import Layer
    from cannery.image.platform import Platform
    from cannery.recipes.plan import Built
    from cannery.workspace.workspace import Workspace

__all__ = ["inventory_of", "inventory_of_image"]


def inventory_of(built: Built, workspace: Workspace) -> Inventory:
    """The inventory of an image that was built."""
    app = built.app
    about = About(app.name.rpartition("/")[2], app.metadata.version or "", str(built.image.platform))
    return _inventory(about, built.image.layers, workspace)


def inventory_of_image(name: str, engine: Choice, platform: Platform | None, workspace: Workspace) -> Inventory:
    """The inventory of the image called ``name``, for ``platform`` or this machine's, whoever made it.

    Raises as :func:`pulled_image` does.
    """
    pulled = pulled_image(name, engine, platform, workspace)
    labels = (pulled.config.get("config") or {}).get("Labels") or {}
    title = labels.get("org.opencontainers.image.title") or name
    about = About(str(title), str(labels.get("org.opencontainers.image.version") or ""), str(pulled.platform))
    return _inventory(about, pulled.layers, workspace)


def _inventory(about: About, layers: Iterable[Layer], workspace: Workspace) -> Inventory:
    return inventory_of_layers(about, [_contents_of(layer, workspace) for layer in layers])


def _contents_of(layer: Layer, workspace: Workspace) -> list[ContainedFile]:
    """The files of a layer, which is read once."""
    key = key_of("contents of a layer", code_key(__name__), layer.diff_id.hex)
    known = workspace.cache.recall("layer-contents", key)
    if known is None:
        workspace.progress(f"reading the layer {layer.name}")
        known = {"files": [*contained_files(layer.blob, f"the layer {layer.name}")]}
        workspace.cache.remember("layer-contents", key, known)
    return [
        ContainedFile(path, sha256, elf, tuple(tuple(each) for each in components), text)
        for path, sha256, elf, components, text in known["files"]
    ]
