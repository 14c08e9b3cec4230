"""Take from a tree's ELF files what no loader reads: symbols and debugging information."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.tree import Transform
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import Tree

__all__ = ["strip"]


def _stripped(tree: Tree) -> Tree:
    from cannery.elf.strip import strip_elf  # noqa: PLC0415  # not needed when nothing has changed
    from cannery.trees.transforms.outcomes import with_outcome  # noqa: PLC0415

    return tree.map(lambda path, file: with_outcome(path, file, strip_elf(file.content)))


strip = Transform(key_of("strip", code_key(__name__)), _stripped)
