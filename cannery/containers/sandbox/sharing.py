"""Unpacked images that share their equal files by hard links, so that one more image costs what is new in it.

A file is shared with the one of the same path in an image that was unpacked earlier, where content, mode, owner and
time are the same. Programs see every image read-only, so that none can alter what is another's as well.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import stat
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["contents", "share", "stamp"]

_ENOUGH: Final = 4  # images that are looked into: more hardly have more in common


def share(folder: Path, earlier: Iterable[Path]) -> None:
    """Put links in the place of files below ``folder`` that one of the folders ``earlier`` has as well.

    Where the file system has no links, or no more of a file, the copy stays.
    """
    others = list(islice((path for path in earlier if path != folder), _ENOUGH))
    for path, status in list(_files(folder)):
        if not stat.S_ISREG(status.st_mode) or not status.st_size or status.st_nlink > 1:
            continue  # an image's own hard links stay what they are
        equal = (f"{other}{path}" for other in others if _is_equal(f"{folder}{path}", status, f"{other}{path}"))
        if (known := next(equal, None)) is not None:
            with suppress(OSError):
                _link(known, f"{folder}{path}")


def stamp(folder: Path) -> str:
    """A digest of the sizes, times and inodes of all files below ``folder``; st_ctime tells even a hidden change.

    It's another one, too, where another image has begun or ceased to share a file.
    """
    return _digest(f"{path}\0{status.st_size} {status.st_ctime_ns} {status.st_ino}" for path, status in _files(folder))


def contents(folder: Path) -> str:
    """A digest of the modes and contents of all files below ``folder``, and of where links lead."""
    return _digest(f"{path}\0{_described(f'{folder}{path}', status)}" for path, status in _files(folder))


def _is_equal(path: str, status: os.stat_result, other: str) -> bool:
    try:
        return _comparable(os.lstat(other)) == _comparable(status) and filecmp.cmp(path, other, shallow=False)
    except OSError:  # there is none, or it's removed just now
        return False


def _comparable(status: os.stat_result) -> tuple[int, ...]:
    """All that two files must have in common besides their content, before they become one."""
    return status.st_mode, status.st_uid, status.st_gid, status.st_size, status.st_mtime_ns, status.st_dev


def _link(source: str, target: str) -> None:
    """Put a link to ``source`` in the place of ``target``, whose folder keeps its times."""
    folder = os.path.dirname(target)
    before = os.stat(folder)
    beside = f"{target}.{os.getpid()}"
    os.link(source, beside)
    os.replace(beside, target)
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode(errors="surrogateescape")).hexdigest()


def _described(path: str, status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return f"-> {os.readlink(path)}"
    with open(path, "rb") as stream:
        return f"{stat.S_IMODE(status.st_mode):o} {hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The files and links below ``folder``, by their paths from there, with a slash in front."""
    pending = [os.fspath(folder)]
    top = len(pending[0])
    while pending:
        with os.scandir(pending.pop()) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    yield entry.path[top:], entry.stat(follow_symlinks=False)
