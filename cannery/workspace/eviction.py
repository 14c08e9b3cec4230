"""The cache's size: what was used longest ago goes first.

Each entry can go on its own: whoever misses it makes it again. What a build has under way is younger than an hour.
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
_BLOCK: Final = 512  # bytes that st_blocks counts by (POSIX, sys/stat.h)
_NOT_RESULTS: Final = {"locks", "tmp"}
_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """Something in the cache that can go on its own."""

    path: Path
    size: int  # bytes on disk
    used: float  # seconds since the epoch: when it was last made or asked for


def bytes_of(text: str) -> int:
    """Read ``5GB``, ``500 MB``, ``0``; a gigabyte is a thousand million bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip().upper())
    if found is None:
        raise ConfigurationError(f"{text!r} is no size", step="write it as 5GB, 500MB or 0")
    return int(float(found[1]) * _UNITS[found[2]])


def evictable(cache: Cache, keep: int, *, now: float | None = None) -> tuple[CacheEntry, ...]:
    """What has to go so that no more than ``keep`` bytes are left; what other versions of cannery left goes anyway."""
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
    """Remove an entry; a folder is renamed first, so that nobody finds a part of it."""
    with explained(entry.path):
        if not entry.path.is_dir():
            entry.path.unlink(missing_ok=True)
            return
        doomed = entry.path.with_name(f"{entry.path.name}.removed")
        entry.path.rename(doomed)
        for folder, _, _ in os.walk(doomed):
            os.chmod(folder, 0o700)  # noqa: PTH101  # an unpacked image has folders that its owner may not change
        shutil.rmtree(doomed)


def _entries(root: Path) -> Iterator[CacheEntry]:
    """The blobs, the records and the folders of one version's cache."""
    for kind in root.iterdir() if root.is_dir() else ():
        if kind.name in _NOT_RESULTS or not kind.is_dir():
            continue
        for path in (kind / "sha256").iterdir() if kind.name == "blobs" else kind.iterdir():
            yield _entry(path)


def _other_versions(root: Path) -> Iterator[CacheEntry]:
    """The caches of other versions, which nobody reads any more once theirs is gone."""
    for path in root.parent.iterdir() if root.parent.is_dir() else ():
        if path != root and re.match(r"\d+\.\d+", path.name) and path.is_dir():
            yield _entry(path)


def _entry(path: Path) -> CacheEntry:
    status = path.lstat()
    inside = [os.lstat(f"{folder}/{name}") for folder, folders, files in os.walk(path) for name in (*folders, *files)]
    return CacheEntry(path, sum(item.st_blocks * _BLOCK for item in (status, *inside)), status.st_mtime)
