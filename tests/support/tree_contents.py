"""Reading what a tree's files hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cannery.image.tree import File, Tree


def read(file: File) -> bytes:
    """All bytes of a file."""
    with file.content.open() as stream:
        return stream.read()


def contents(tree: Tree) -> dict[str, bytes]:
    """All bytes of every file, by path."""
    return {path: read(file) for path, file in tree.files()}
