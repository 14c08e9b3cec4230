"""Unpacked images that share their equal files by hard links, so that one more image costs what is new in it.

A file is shared with the one of the same path in an image that was unpacked earlier, where content, mode, owner and
time are the same. Programs see every image read-only, so that none can alter what is another's as well.
"""

from __future__ import annotations

import filecmp
import os
import stat
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final

from cannery.workspace.unaltered import files_below

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["share"]

_ENOUGH: Final = 4  # images that are looked into: more hardly have more in common


def share(folder: Path, earlier: Iterable[Path]) -> None:
    """Put links in the place of files below ``folder`` that one of the folders ``earlier`` has as well.

    Where the file system has no links, or no more of a file, the copy stays.
    """
    others = list(islice((path for path in earlier if path != folder), _ENOUGH))
    for path, status in list(files_below(folder)):
        if not stat.S_ISREG(status.st_mode) or not status.st_size or status.st_nlink > 1:
            continue  # an image's own hard links stay what they are
        equal = (f"{other}{path}" for other in others if _is_equal(f"{folder}{path}", status, f"{other}{path}"))
        if (known := next(equal, None)) is not None:
            with suppress(OSError):
                _link(known, f"{folder}{path}")


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
