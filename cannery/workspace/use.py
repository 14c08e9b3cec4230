"""What is in use stays: entries of the cache are marked when they're asked for, and held while they're needed for long.

A mark is the modification time. Whoever marks an entry that could go takes a lock of its folder, which others may
share; whoever removes it takes the same lock alone. So an entry is either marked first, and stays, or gone first, and
made anew.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["held", "is_held", "removing", "used"]

_RECENTLY: Final = 600.0  # seconds for which a noted use counts as the latest: eviction works in hours


def used(path: Path) -> bool:
    """True where ``path`` is there, which is marked as used now; a link stands for what it leads to."""
    try:
        if time.time() - path.stat().st_mtime <= _RECENTLY:
            return True
        with _locked(path.parent, fcntl.LOCK_SH):
            os.utime(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # a cache may be readable and not writable
    return True


@contextmanager
def removing(path: Path, unused_since: float) -> Iterator[bool]:
    """True in the block where ``path`` may be removed: nobody has used it since that time, or holds it.

    Nobody can mark it as used before the block ends, so it's renamed or removed there and nothing else.
    """
    with _locked(path.parent, fcntl.LOCK_EX):
        yield path.lstat().st_mtime <= unused_since and not is_held(path)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep ``folder`` from being removed while the block lasts, however long."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


def is_held(path: Path) -> bool:
    """True where ``path`` is a folder that somebody holds."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no locks on this file system
        return False
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
