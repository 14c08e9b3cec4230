"""The versions of what is in an image: of Python, OpenSSL, SQLite and the C library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.elf.components import Component
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.image import Image
    from cannery.image.layer import Layer
    from cannery.workspace.workspace import Workspace

__all__ = ["components_in_image"]


def components_in_image(image: Image, workspace: Workspace) -> tuple[Component, ...]:
    """What is in the layers of ``image``, each once; a layer that was looked at before isn't read again."""
    return tuple(sorted({each for layer in image.layers for each in _in_layer(layer, workspace)}))


def _in_layer(layer: Layer, workspace: Workspace) -> list[Component]:
    key = key_of("components", code_key(__name__), layer.diff_id.hex)
    found = workspace.cache.recall("components", key)
    if found is None:
        from cannery.recipes.layer_contents import contents_of_layer  # noqa: PLC0415  # not where nothing has changed

        if not layer.is_present():  # of a base that is pulled when it's needed
            return []
        found = {
            "components": sorted({each for file in contents_of_layer(layer, workspace) for each in file.components})
        }
        workspace.cache.remember("components", key, found)
    return [Component(*each) for each in found["components"]]
