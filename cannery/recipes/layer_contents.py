"""What the layers of an image have in them, each read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.bom.layer_contents import ContainedFile, contained_files
from cannery.elf.package_notes import PackageNote
from cannery.errors import ImageError
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.layer import Layer
    from cannery.workspace.workspace import Workspace

__all__ = ["contents_of_layer"]


def contents_of_layer(layer: Layer, workspace: Workspace) -> list[ContainedFile]:
    """The files of ``layer``, as :func:`contained_files` reads them; remembered by its diff ID.

    Raises :class:`ImageError` where they aren't known and the blob can't be had.
    """
    key = key_of("contents of a layer", code_key(__name__), layer.diff_id.hex)
    known = workspace.cache.recall("layer-contents", key)
    if known is None:
        if not layer.is_present():
            _fetch(layer, workspace)
        workspace.progress(f"reading the layer {layer.name}")
        known = {"files": [*contained_files(layer.blob, f"the layer {layer.name}")]}
        workspace.cache.remember("layer-contents", key, known)
    return [
        ContainedFile(
            path,
            sha256,
            elf,
            tuple(tuple(each) for each in components),
            text,
            tuple(PackageNote(*each) for each in notes),
        )
        for path, sha256, elf, components, text, notes in known["files"]
    ]


def _fetch(layer: Layer, workspace: Workspace) -> None:
    """Bring the blob here, where a build of another machine has packed the layer."""
    shared = workspace.cache.shared
    if shared is None or not shared.has_blob(layer.digest):
        raise ImageError(
            f"the layer {layer.name} is not in the cache, so nobody knows what is in it",
            evidence=str(layer.blob),
            step="build the image again",
        )
    shared.fetch(layer, workspace.cache)
