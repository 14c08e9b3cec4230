"""Let a tree's ELF files look for their libraries beside themselves, or where the program does, and nowhere else."""

from __future__ import annotations

from cannery.elf.rpath import confine_rpath
from cannery.image.tree import Transform
from cannery.trees.transforms.outcomes import with_outcome
from cannery.workspace.keys import code_key, key_of

__all__ = ["confined"]

confined = Transform(
    key_of("confined", code_key(__name__)),
    lambda tree: tree.map(lambda path, file: with_outcome(path, file, confine_rpath(file.content))),
)
