"""Eviction: the entries of the cache that were used longest ago go first, until it has the wanted size.

Each entry can go on its own, as a build that misses it makes it again. None goes that was used within the hour: a build
may be about to use it.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.workspace.cache import Cache

__all__ = ["CacheEntry", "bytes_of", "evict", "evictable"]

_RECENT: Final = 3600.0  # seconds
_BLOCK: Final = 512  # bytes of one of st_blocks (stat(3type))
_NOT_RESULTS: Final = {"locks", "tmp"}
_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A blob, a record or a folder of the cache."""

    path: Path
    size: int  # bytes on disk
    used: float  # the time when it was last made or asked for, in seconds since the epoch


def bytes_of(text: str) -> int:
    """The number of bytes that ``5GB``, ``500 MB`` or ``0`` stand for; a gigabyte is a thousand million bytes.

    Raises :class:`ConfigurationError` for another text.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip().upper())
    if found is None:
        raise ConfigurationError(f"{text!r} is no size", step="write it as 5GB, 500MB or 0")
    return int(float(found[1]) * _UNITS[found[2]])


def evictable(cache: Cache, keep: int, *, now: float | None = None) -> tuple[CacheEntry, ...]:
    """The entries to remove so that at most ``keep`` bytes are left, and the caches of cannery's other versions.

    ``now`` is the time in seconds since the epoch, for tests.
    """
    limit = (time.time() if now is None else now) - _RECENT
    entries = list(_entries(cache.root))
    excess = sum(entry.size for entry in entries) - keep
    chosen = [entry for entry in _other_versions(cache.root) if entry.used < limit]
    for entry in sorted(entries, key=lambda entry: entry.used):
        if excess <= 0 or entry.used >= limit:
            break
        chosen.append(entry)
        excess -= entry.size
    return tuple(chosen)


def evict(entry: CacheEntry) -> None:
    """Remove an entry; a folder is renamed first, so that no build finds a part of it.

    Raises :class:`MachineError` where it can't be removed.
    """
    with explained(entry.path):
        if not entry.path.is_dir():
            entry.path.unlink(missing_ok=True)
            return
        doomed = entry.path.with_name(f"{entry.path.name}.removed")
        entry.path.rename(doomed)
        for folder, _, _ in os.walk(doomed):
            os.chmod(folder, 0o700)  # noqa: PTH101  # an unpacked image may have read-only folders
        shutil.rmtree(doomed)


def _entries(root: Path) -> Iterator[CacheEntry]:
    """The entries of one version's cache."""
    for kind in root.iterdir() if root.is_dir() else ():
        if kind.name in _NOT_RESULTS or not kind.is_dir():
            continue
        for path in (kind / "sha256").iterdir() if kind.name == "blobs" else kind.iterdir():
            yield _entry(path)


def _other_versions(root: Path) -> Iterator[CacheEntry]:
    """The caches of cannery's other versions, each as one entry."""
    for path in root.parent.iterdir() if root.parent.is_dir() else ():
        if path != root and re.match(r"\d+\.\d+", path.name) and path.is_dir():
            yield _entry(path)


def _entry(path: Path) -> CacheEntry:
    status = path.lstat()
    inside = [os.lstat(f"{folder}/{name}") for folder, folders, files in os.walk(path) for name in (*folders, *files)]
    return CacheEntry(path, sum(item.st_blocks * _BLOCK for item in (status, *inside)), status.st_mtime)
