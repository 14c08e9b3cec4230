"""Which glibc an ELF file needs: each of its functions is asked for by the version that it came with or changed in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.errors import RuntimeTreeError
from cannery.image.tree import Transform
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.content import Content
    from cannery.image.tree import Tree

__all__ = ["needed_glibc", "no_newer_than"]

_VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")


def needed_glibc(content: Content) -> tuple[int, int]:
    """The newest version of glibc that the ELF file asks for; 0.0 where it asks for none."""
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415  # slow to import, not needed when nothing changed
    from elftools.elf.gnuversions import GNUVerNeedSection  # noqa: PLC0415

    with content.open() as stream:
        sections = [each for each in ELFFile(stream).iter_sections() if isinstance(each, GNUVerNeedSection)]
        names = [
            version.name for section in sections for _, versions in section.iter_versions() for version in versions
        ]
    found = (match for name in names if (match := _VERSION.fullmatch(name)))
    return max(((int(match[1]), int(match[2])) for match in found), default=(0, 0))


def no_newer_than(version: tuple[int, int], triplet: str, base: str) -> Transform:
    """Leaves a tree as it is; raises :class:`RuntimeTreeError` for extension modules that need a newer glibc.

    ``triplet`` is what Zig calls the platform of the ``base``, which has that version.
    """

    def check(tree: Tree) -> Tree:
        for path, file in tree.files():
            if path.endswith(".so") and (needed := needed_glibc(file.content)) > version:
                has, needs = (".".join(map(str, each)) for each in (version, needed))
                raise RuntimeTreeError(
                    f"{path} needs glibc {needs}, and the base {base} has {has}",
                    evidence="this machine's C library is newer than the base's",
                    step=f'compile for the older one: pip install "cannery[zig]", and set  [tool.cannery.cython]  '
                    f'target = "{triplet}.{has}"',
                )
        return tree

    return Transform(key_of("no newer than", code_key(__name__), version), check)
