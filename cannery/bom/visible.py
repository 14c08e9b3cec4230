"""The files of an image as a container sees them: those of its layers, one on top of the other."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from cannery.image.layer import OPAQUE, WHITEOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.bom.layer_contents import ContainedFile

__all__ = ["visible_files"]


def visible_files(layers: Iterable[Iterable[ContainedFile]]) -> Mapping[str, ContainedFile]:
    """The files by their paths, sorted; what a later layer takes away isn't there (OCI image-spec v1.1, layer.md)."""
    seen: dict[str, ContainedFile] = {}
    for layer in layers:
        files = {file.path: file for file in layer}
        for path in files:
            folder, name = posixpath.split(path)
            if name == OPAQUE:
                _remove(seen, folder, itself=False)
            elif name.startswith(WHITEOUT):
                _remove(seen, posixpath.join(folder, name.removeprefix(WHITEOUT)), itself=True)
        for path in files.keys() & seen.keys():  # an archive that is replaced has other members
            _remove(seen, path, itself=True)
        seen |= {path: file for path, file in files.items() if not posixpath.basename(path).startswith(WHITEOUT)}
    return dict(sorted(seen.items()))


def _remove(seen: dict[str, ContainedFile], place: str, *, itself: bool) -> None:
    below = place.rstrip("/") + "/"
    for path in [path for path in seen if path.startswith(below) or (itself and path == place)]:
        del seen[path]
