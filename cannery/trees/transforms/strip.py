"""Take from a tree's ELF files what no loader reads: symbols and debugging information."""

from __future__ import annotations

from cannery.elf.strip import strip_elf
from cannery.image.tree import Transform
from cannery.trees.transforms.outcomes import with_outcome
from cannery.workspace.keys import code_key, key_of

__all__ = ["strip"]

strip = Transform(
    key_of("strip", code_key(__name__)),
    lambda tree: tree.map(lambda path, file: with_outcome(path, file, strip_elf(file.content))),
)
