"""Paths of an image, with the links on them followed inside its root, as a process sees them that has no other root.

Nothing slow is imported here: all this is asked before each container starts.
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
    """The absolute path of the image that ``name`` leads to, every link followed; ``look`` knows what lies where.

    The ``policy`` is for the odd cases:

    - ``clamp``, for an image that is read: ``..`` stops at the root, as in chroot(2); None where a path leads nowhere.
    - ``land``, for what is to come to lie there: the same, but what isn't there yet may be made; None for a loop.
    - ``refuse``, for what nobody trusts: :class:`ImageError` for a link that leads out of the root, in a circle, or to
      what isn't there. The name itself may be of something that isn't there yet.
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
    """What :func:`follow` asks about an image that is unpacked in ``root``."""
    prefix = root.rstrip("/")

    def look(path: str) -> str | bool:
        try:
            return os.readlink(prefix + path)
        except OSError as error:
            return error.errno == errno.EINVAL  # something that is no link (readlink(2)); else there's nothing

    return look


def parts_of(name: str) -> list[str]:
    """The parts of ``name``; ``.`` and empty ones mean nothing."""
    return [part for part in name.split("/") if part not in {"", "."}]


def resolved(root: str, name: str) -> str:
    """The path on this machine of ``name``, which may not be there yet; nothing that leads out of ``root`` is followed.

    Raises what :func:`follow` raises where it refuses.
    """
    return f"{root}{follow(name, links_in(root), 'refuse')}".rstrip("/") or "/"


def folder_of(root: str, name: str) -> str:
    """The path on this machine of the folder that holds ``name``, which itself may be a link; the rest as above."""
    return resolved(root, "/".join(parts_of(name)[:-1]))


def read_text(root: Path, name: str) -> str:
    """The text of a file of the image; empty where it has none."""
    try:
        with open(resolved(os.fspath(root), name), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def make_folder(root: str, path: str) -> None:
    """Make ``path`` below ``root``, and the folders that it lies in, with the mode that folders without a name have."""
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
