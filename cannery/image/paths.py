"""Paths of an image, looked up in its unpacked root without ever leaving it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from cannery.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["folder_of", "is_folder", "make_folder", "parts_of", "read_text", "resolved"]

_MOST_LINKS: Final = 40  # as many as Linux follows (path_resolution(7))


def parts_of(name: str) -> list[str]:
    """The parts of ``name``; ``.`` and empty ones mean nothing."""
    return [part for part in name.split("/") if part not in {"", "."}]


def folder_of(root: str, name: str) -> str:
    """Where the folder that holds ``name`` lies; ``name`` itself may be a link."""
    return _follow(root, parts_of(name)[:-1], name)


def resolved(root: str, name: str) -> str:
    """Where ``name`` lies, with every link followed as a process whose root is ``root`` follows it."""
    return _follow(root, parts_of(name), name)


def read_text(root: Path, name: str) -> str:
    """The text of a file of the image; empty where it has none."""
    try:
        with open(resolved(os.fspath(root), name), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def make_folder(root: str, path: str) -> None:
    """Make ``path`` below ``root``, and the folders that it lies in, as they are when no layer names them."""
    missing = []
    while path != root and not is_folder(path):
        missing.append(path)
        path = os.path.dirname(path)
    for each in reversed(missing):
        os.mkdir(each)
        os.chmod(each, 0o755)  # noqa: S103  # whatever the umask


def is_folder(path: str) -> bool:
    """Whether there is a folder at ``path``, and not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _follow(root: str, parts: Sequence[str], name: str) -> str:
    """Walk down from ``root``.

    Raises :class:`ImageError` where a link climbs out of the root, or leads to what isn't there.
    """
    here = [root]
    ahead = [*reversed(parts)]
    given = len(ahead)  # how many of the parts ahead are the name's; those on top of them came from a link
    links = 0
    while ahead:
        linked = len(ahead) > given
        part = ahead.pop()
        given = min(given, len(ahead))
        if part == "..":
            if len(here) == 1:
                raise ImageError(f"{name!r} leaves the image through a symbolic link")
            here.pop()
            continue
        here.append(part)
        path = "/".join(here)
        if (target := _link(path)) is not None:
            links += 1
            if links > _MOST_LINKS:
                raise ImageError(f"{name!r} leads through a loop of symbolic links")
            here = [root] if target.startswith("/") else here[:-1]
            ahead += reversed(parts_of(target))
        elif linked and not os.path.lexists(path):
            raise ImageError(f"{name!r} passes through a symbolic link to what the image doesn't hold")
    return "/".join(here)


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:  # no link, or nothing there yet
        return None
