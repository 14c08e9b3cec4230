"""A check that extension modules run with the glibc of the base that they go onto."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.elf.headers import ElfError
from cannery.elf.versions import needed_glibc
from cannery.errors import RuntimeTreeError
from cannery.image.tree import Decision, Transform
from cannery.workspace.extras import installing
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import File

__all__ = ["no_newer_than"]


def no_newer_than(version: tuple[int, int], triplet: str, base: str) -> Transform:
    """Leaves a tree as it is; raises :class:`RuntimeTreeError` for extension modules that need a newer glibc.

    ``triplet`` is Zig's name for the platform of the ``base``, which has that version.
    """

    def check(path: str, file: File) -> tuple[File, list[Decision]]:
        if not path.endswith(".so"):
            return file, []
        try:
            needed = needed_glibc(file.content)
        except ElfError as error:
            return file, [Decision(path, "find out which glibc it needs", str(error), file.content.size)]
        if needed > version:
            raise _too_new(path, needed, version, triplet, base)
        return file, []

    return Transform(key_of("no newer than", code_key(__name__), version), lambda tree: tree.map(check))


def _too_new(path: str, needed: tuple[int, int], version: tuple[int, int], triplet: str, base: str) -> RuntimeTreeError:
    has, needs = (".".join(map(str, each)) for each in (version, needed))
    return RuntimeTreeError(
        f"{path} needs glibc {needs}, and the base {base} has {has}",
        evidence="this machine's C library is newer than the base's",
        step=f"compile for the older one: {installing('zig')}, and set  [tool.cannery.cython]  "
        f'target = "{triplet}.{has}"',
    )
