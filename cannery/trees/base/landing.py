"""Paths land where the links of a base lead: ``/lib/x`` becomes ``/usr/lib/x`` where ``/lib`` is a link to ``usr/lib``.

A layer with a folder ``/lib`` would replace the link, and hide all that lies behind it (jib #1576). Folders of the base
keep their modes and owners.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cannery.errors import ImageError
from cannery.image.tree import Directory, Entry, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.rootfs import Root

__all__ = ["landed"]


def landed(tree: Tree, root: Root, folders: Mapping[str, Directory]) -> Tree:
    """``tree`` with its paths led through the links of ``root``; ``folders`` are those of the base.

    Raises :class:`ImageError` where one has a file and the other a folder, and for a loop of links.
    """
    landing = _Landing(root)
    entries: dict[str, Entry] = {}
    for path, entry in tree:
        if isinstance(entry, Directory):
            entries[landing.folder(path)] = entry
            continue
        place = posixpath.join(landing.folder(posixpath.dirname(path)), posixpath.basename(path))
        on_disk = root.on_disk(place)
        if on_disk.is_dir() and not on_disk.is_symlink():
            raise ImageError(f"the base has a folder where {path} belongs", step="take another base, or rename it")
        entries[place] = entry
    parents = (path for path in landing.folders() if path != "/" and root.on_disk(path).is_dir())
    return Tree(entries) + Tree({path: folders.get(path, Directory()) for path in parents})


@dataclass(slots=True)
class _Landing:
    """The places of folders in a root that need not have them yet."""

    root: Root
    _known: dict[str, str] = field(default_factory=lambda: {"/": "/"})

    def folders(self) -> set[str]:
        """The places that were asked for so far, and the folders above them."""
        found: set[str] = set()
        for path in self._known.values():
            above = path
            while above not in found:
                found.add(above)
                above = posixpath.dirname(above)
        return found

    def folder(self, path: str) -> str:
        """The place of the folder ``path``."""
        if path not in self._known:
            above = self.folder(posixpath.dirname(path))
            self._known[path] = self._landed(posixpath.join(above, posixpath.basename(path)), path)
        return self._known[path]

    def _landed(self, here: str, path: str) -> str:
        """The place that ``here`` leads to, in which no part but the last can be a link; ``path`` is for messages."""
        place = self.root.landing(here)
        if place is None:
            raise ImageError(f"{path} leads through a loop of links in the base", step="take another base")
        on_disk = self.root.on_disk(place)
        if on_disk.exists() and not on_disk.is_dir():
            raise ImageError(f"the base has a file where the folder {path} belongs", step="take another base")
        return place
