"""Let a tree's ELF files look for libraries in no folder that only the machine had on which they were built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.tree import Transform
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cannery.elf.outcome import Outcome
    from cannery.image.content import Content
    from cannery.image.tree import Tree

__all__ = ["confined", "without_absolute"]


def _confined(tree: Tree) -> Tree:
    from cannery.elf.rpath import confine_rpath  # noqa: PLC0415  # not needed when nothing has changed

    return _each(tree, confine_rpath)


def _without_absolute(tree: Tree) -> Tree:
    from cannery.elf.rpath import drop_absolute_rpath  # noqa: PLC0415  # not needed when nothing has changed

    return _each(tree, drop_absolute_rpath)


def _each(tree: Tree, change: Callable[[Content], Outcome]) -> Tree:
    from cannery.trees.transforms.outcomes import with_outcome  # noqa: PLC0415  # not needed when nothing has changed

    return tree.map(lambda path, file: with_outcome(path, file, change(file.content)))


# Beside the file itself, or where the program looks, and nowhere else: for a program that brings its own C library
confined = Transform(key_of("confined", code_key(__name__)), _confined)
# Where it did, less absolute folders: for a system whose loader finds all in one folder
without_absolute = Transform(key_of("without absolute search paths", code_key(__name__)), _without_absolute)
