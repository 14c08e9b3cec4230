"""Packages unpacked: the archive in the archive of a .deb file (deb(5)), with nothing of it run."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, cast

from cannery.errors import RuntimeTreeError
from cannery.image.decompression import compression_of, undamaged, unzipped
from cannery.image.extraction import unpack_archives

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from io import RawIOBase
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["unpack_packages"]

# Folders that a merged /usr has moved there (UsrMerge, systemd's file-hierarchy(7)): links in every installed system
_MERGED: Final = ("bin", "lib", "lib32", "lib64", "sbin")


def unpack_packages(files: Mapping[str, Path], into: Path) -> Mapping[str, frozenset[str]]:
    """Unpack .deb ``files``, named as their packages, below ``into``; link what a system with a merged ``/usr`` links.

    Returns the paths in the root that each package brought.

    Raises :class:`RuntimeTreeError` for a file that is no package, :class:`ImageError` for one that holds what could
    reach out of the folder.
    """
    brought = unpack_archives(_archives(files), into)
    for name in _MERGED:
        if (into / "usr" / name).is_dir() and not os.path.lexists(into / name):
            (into / name).symlink_to(f"usr/{name}")
    return {name: brought[_words(name)] for name in files}


def _words(name: str) -> str:
    """A package, as messages call it."""
    return f"the package {name}"


def _archives(files: Mapping[str, Path]) -> Iterator[tuple[str, BinaryIO]]:
    """The name of each package, and what it installs as a tar archive, open until the next is asked for."""
    from debian.arfile import ArError, ArFile  # noqa: PLC0415  # an extra

    for name, path in files.items():
        with ExitStack() as stack, undamaged(_words(name), str(path)):
            stream = stack.enter_context(path.open("rb"))
            try:
                archive = ArFile(fileobj=stream)
                members = [each for each in archive.getmembers() if each.name.startswith("data.tar")]
            except (ArError, OSError, ValueError) as error:
                raise _no_package(path, str(error)) from error
            if len(members) != 1:
                raise _no_package(path, "there is no data.tar in it")
            (data,) = members
            compression = compression_of(data.read(6))
            data.seek(0)
            yield _words(name), unzipped(cast("RawIOBase", data), compression)


def _no_package(path: Path, why: str) -> RuntimeTreeError:
    return RuntimeTreeError(f"{path} is no package of Debian's kind", evidence=why, step="remove it, and build again")
