"""The files of a layer, which are read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.sizes.layer_files import LayerFile, layer_files
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.layer import Layer
    from cannery.workspace.workspace import Workspace

__all__ = ["known_files"]


def known_files(layer: Layer, name: str, workspace: Workspace) -> list[LayerFile]:
    """The files of ``layer``, as :func:`layer_files` reads them; remembered by the layer's digest."""
    key = key_of("files of a layer", code_key(__name__), layer.digest.hex)
    known = workspace.cache.recall("layer-files", key)
    if known is None:
        workspace.progress(f"reading the layer {name}")
        known = {"files": layer_files(layer.blob, f"the layer {name}")}
        workspace.cache.remember("layer-files", key, known)
    return [LayerFile(*each) for each in known["files"]]
