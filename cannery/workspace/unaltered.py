"""Folders of the cache whose files are run or packed: what was altered in one is noticed, and the folder made anew.

What a folder was when it was made is kept twice: a stamp, which is quick to compare, and a digest of the contents, for
when that has changed.
"""

from __future__ import annotations

import hashlib
import os
import stat as stat_module
from typing import TYPE_CHECKING

from cannery.workspace.cache import in_silence

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator
    from pathlib import Path

    from cannery.workspace.cache import Cache, Waiting

__all__ = ["files_below", "is_unaltered", "unaltered_folder"]


def unaltered_folder(
    cache: Cache,
    kind: str,
    key: str,
    fill: Callable[[Path], None],
    *,
    without: Container[str] = (),
    compared: bool = True,
    waiting: Waiting = in_silence,
) -> Path:
    """The folder of :meth:`Cache.folder`, filled anew where a file in it isn't what it was when it was filled.

    Folders in it whose names are in ``without`` don't count. Without ``compared`` it's filled anew where it's gone, and
    nowhere else: nothing of it is to be run or packed then.
    """

    def filled(folder: Path) -> None:
        fill(folder)
        cache.remember(kind, key, {"stamp": _stamp(folder, without), "contents": _contents(folder, without)})

    def whole(folder: Path) -> bool:
        return is_unaltered(cache, kind, key, without=without) if compared else folder.is_dir()

    return cache.folder(kind, key, filled, whole=whole, waiting=waiting)


def is_unaltered(cache: Cache, kind: str, key: str, *, without: Container[str] = ()) -> bool:
    """True where such a folder is there, and is what it was when it was filled."""
    folder, known = cache.root / kind / key, cache.recall(kind, key)
    if known is None or not folder.is_dir():
        return False  # without a record nobody knows what it was
    if known["stamp"] == (found := _stamp(folder, without)):
        return True
    if known["contents"] != _contents(folder, without):
        return False
    cache.remember(kind, key, {**known, "stamp": found})
    return True


def files_below(folder: Path, without: Container[str] = ()) -> Iterator[tuple[str, os.stat_result]]:
    """The files and links below ``folder``, by their paths from there, with a slash in front.

    Folders whose names are in ``without`` are left out.
    """
    pending = [os.fspath(folder)]
    top = len(pending[0])
    while pending:
        with os.scandir(pending.pop()) as found:
            for entry in found:
                if not entry.is_dir(follow_symlinks=False):
                    yield entry.path[top:], entry.stat(follow_symlinks=False)
                elif entry.name not in without:
                    pending.append(entry.path)


def _stamp(folder: Path, without: Container[str]) -> str:
    """A digest of the sizes, times and inodes of all files below ``folder``; st_ctime tells even a hidden change.

    It's another one, too, where the file has got another link, or lost one.
    """
    return _digest(
        f"{path}\0{status.st_size} {status.st_ctime_ns} {status.st_ino}"
        for path, status in files_below(folder, without)
    )


def _contents(folder: Path, without: Container[str]) -> str:
    """A digest of the modes and contents of all files below ``folder``, and of where links lead."""
    return _digest(f"{path}\0{_described(f'{folder}{path}', status)}" for path, status in files_below(folder, without))


def _described(path: str, status: os.stat_result) -> str:
    if stat_module.S_ISLNK(status.st_mode):
        return f"-> {os.readlink(path)}"  # noqa: PTH115  # paths are text here
    if not stat_module.S_ISREG(status.st_mode):
        return f"{status.st_mode:o}"  # a pipe would never end
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            return f"{stat_module.S_IMODE(status.st_mode):o} {hashlib.file_digest(stream, 'sha256').hexdigest()}"
    except PermissionError:  # of an image's: what this user can't read, it neither runs nor packs
        return f"{status.st_mode:o} {status.st_size}"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode(errors="surrogateescape")).hexdigest()
