"""Places of modules, made of a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.imports.places import Place
from cannery.workspace.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.imports.model import Where

__all__ = ["place_of", "tree_of"]


def tree_of(files: Mapping[str, str]) -> LazyTree:
    """The files' texts by their paths in the image."""
    tree = Tree({path: File(Inline(text.encode())) for path, text in files.items()})
    return LazyTree(key_of(dict(files)), lambda: tree)


def place_of(kind: Where, root: str, files: Mapping[str, str]) -> Place:
    """A place with one folder that imports start from, ``root``, and files below it."""
    return Place(kind, tree_of({f"{root}/{name}": text for name, text in files.items()}), (root,))
