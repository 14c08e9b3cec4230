"""Paths of an image, and the links on them, which lead from its root and never out of it (chroot(2)).

Nothing slow is imported here: this runs before each container starts.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final, Literal

from cannery.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    # What lies at an absolute path of the image: the target of a link, True for anything else, False for nothing.
    Look = Callable[[str], str | bool]

__all__ = ["Policy", "folder_of", "follow", "is_folder", "links_in", "make_folder", "parts_of", "read_text", "resolved"]

Policy = Literal["clamp", "land", "refuse"]
_MOST_LINKS: Final = 40  # as many as Linux follows (path_resolution(7))


def follow(name: str, look: Look, policy: Policy = "clamp") -> str | None:
    """The absolute path in the image that ``name`` leads to, every link followed; ``look`` says what lies at a path.

    The ``policy`` decides about links that lead out, or nowhere:

    - ``clamp``, to read an image: ``..`` stops at the root, as in chroot(2). None where nothing is there.
    - ``land``, to find a place for something: the same, but nothing need be there yet. None for a loop of links.
    - ``refuse``, for layers, which nobody trusts: :class:`ImageError` for a link that leads out of the root, to
      nothing, or in a loop. What ``name`` itself stands for need not be there yet.
    """
    done: list[str] = []
    ahead = parts_of(name)[::-1]
    own = len(ahead)  # how many of the parts ahead are the name's own; those on top of them came from a link
    links = 0
    while ahead:
        linked = len(ahead) > own
        part = ahead.pop()
        own = min(own, len(ahead))
        if part == "..":
            if not done and policy == "refuse":
                raise ImageError(f"{name!r} leaves the image through a symbolic link")
            done = done[:-1]
            continue
        done.append(part)
        there = look("/" + "/".join(done))
        if isinstance(there, str):
            links += 1
            if links > _MOST_LINKS:
                if policy == "refuse":
                    raise ImageError(f"{name!r} leads through a loop of symbolic links")
                return None
            done = [] if there.startswith("/") else done[:-1]
            ahead += reversed(parts_of(there))
        elif not there and policy == "clamp":
            return None
        elif not there and policy == "refuse" and linked:
            raise ImageError(f"{name!r} passes through a symbolic link to what the image doesn't hold")
    return "/" + "/".join(done)


def links_in(root: str) -> Look:
    """The ``look`` of :func:`follow` for an image that is unpacked in the folder ``root``."""
    prefix = root.rstrip("/")

    def look(path: str) -> str | bool:
        try:
            return os.readlink(prefix + path)
        except OSError as error:
            return error.errno == errno.EINVAL  # it is there, and no link (readlink(2))

    return look


def parts_of(name: str) -> list[str]:
    """The parts of ``name``; ``.`` and empty ones mean nothing."""
    return [part for part in name.split("/") if part not in {"", "."}]


def resolved(root: str, name: str) -> str:
    """The path on this machine of ``name`` in the image that is unpacked in ``root``, by the policy ``refuse``.

    Raises what :func:`follow` raises.
    """
    return f"{root}{follow(name, links_in(root), 'refuse')}".rstrip("/") or "/"


def folder_of(root: str, name: str) -> str:
    """The path on this machine of the folder that holds ``name``, as :func:`resolved`; ``name`` may be a link."""
    return resolved(root, "/".join(parts_of(name)[:-1]))


def read_text(root: Path, name: str) -> str:
    """The text of the file ``name`` in the image that is unpacked in ``root``; empty where there is none."""
    try:
        with open(resolved(os.fspath(root), name), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def make_folder(root: str, path: str) -> None:
    """Make the folder ``path`` below ``root``, and those above it, with mode 755 whatever the umask."""
    missing = []
    while path != root and not is_folder(path):
        missing.append(path)
        path = os.path.dirname(path)
    for each in reversed(missing):
        os.mkdir(each)
        os.chmod(each, 0o755)  # noqa: S103  # that of folders which no layer names


def is_folder(path: str) -> bool:
    """True for a folder, False for a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
