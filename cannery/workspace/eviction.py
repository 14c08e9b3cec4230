"""Eviction: the entries of the cache that were used longest ago go first, until it has the wanted size.

Each entry can go on its own, as a build that misses it makes it again. None goes that was used within the hour, as a
build may be about to use it, and none that somebody holds.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError, MachineError
from cannery.workspace.cache import DEEPER
from cannery.workspace.files import explained
from cannery.workspace.use import is_held, removing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.workspace.cache import Cache

__all__ = ["CacheEntry", "bytes_of", "evict", "evictable", "trim"]

_RECENT: Final = 3600.0  # seconds
_MONTH: Final = 30 * 86400.0  # seconds
_BLOCK: Final = 512  # bytes of one of st_blocks (stat(3type))
_NOT_RESULTS: Final = {"locks", "tmp"}
_WHOLE: Final = {"zig"}  # kinds that are one entry: a compiler's own cache
_TRIMMED: Final = "locks/trimmed"  # a file whose time tells when the cache was looked through last
_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A blob, a record, a file or a folder of the cache."""

    path: Path
    size: int  # bytes on disk that come free, once the entries listed before are gone
    used: float  # the time when it was last made or asked for, in seconds since the epoch
    shared: Mapping[int, int] = field(default_factory=dict)  # bytes of files with several names, by inode


def bytes_of(text: str) -> int:
    """The number of bytes that ``5GB``, ``500 MB`` or ``0`` stand for; a gigabyte is a thousand million bytes.

    Raises :class:`ConfigurationError` for another text.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip().upper())
    if found is None:
        raise ConfigurationError(f"{text!r} is no size", step="write it as 5GB, 500MB or 0")
    return int(float(found[1]) * _UNITS[found[2]])


def evictable(
    cache: Cache, keep: int | None, *, now: float | None = None, others_after: float = _RECENT
) -> tuple[CacheEntry, ...]:
    """The entries to remove so that at most ``keep`` bytes are left, and the caches of cannery's other versions.

    With None for ``keep`` no entry goes. Of other versions' caches those go that nothing has used for ``others_after``
    seconds. ``now`` is the time in seconds since the
    epoch, for tests.
    """
    now = time.time() if now is None else now
    chosen = [entry for entry in _other_versions(cache.root) if entry.used < now - others_after]
    if keep is None:
        return tuple(chosen)
    entries = list(_entries(cache.root))
    names = Counter(inode for entry in entries for inode in entry.shared)
    excess = sum(entry.size for entry in entries) - keep
    excess += sum({inode: size for entry in entries for inode, size in entry.shared.items()}.values())
    for entry in sorted(entries, key=lambda entry: entry.used):
        if excess <= 0 or entry.used >= now - _RECENT:
            break
        if is_held(entry.path):
            continue
        names.subtract(entry.shared.keys())
        freed = entry.size + sum(size for inode, size in entry.shared.items() if not names[inode])
        chosen.append(replace(entry, size=freed))
        excess -= freed
    return tuple(chosen)


def evict(entry: CacheEntry) -> bool:
    """Remove an entry, unless it's in use by now; True where it's gone, whoever removed it.

    A folder is renamed first, so that no build finds a part of it. Raises :class:`MachineError` where it can't be
    removed.
    """
    doomed = entry.path.with_name(f"{entry.path.name}.{secrets.token_hex(4)}.removed")
    with explained(entry.path), suppress(FileNotFoundError):
        with removing(entry.path, entry.used) as free:
            if not free:
                return False
            if not entry.path.is_dir() or entry.path.is_symlink():
                entry.path.unlink()
                return True
            entry.path.rename(doomed)
        for folder, _, _ in os.walk(doomed):
            os.chmod(folder, 0o700)  # noqa: PTH101  # an unpacked image may have read-only folders
        shutil.rmtree(doomed)
    return True


def trim(cache: Cache, keep: int) -> int:
    """Remove what is too much for ``keep`` bytes, at most once an hour; returns the bytes that came free.

    Caches of other versions go once nothing has used them for a month. What can't be removed stays.
    """
    mark = cache.root / _TRIMMED
    with explained(mark):
        if mark.exists() and time.time() - mark.stat().st_mtime < _RECENT:
            return 0
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return sum(entry.size for entry in evictable(cache, keep, others_after=_MONTH) if _evicted(entry))


def _evicted(entry: CacheEntry) -> bool:
    try:
        return evict(entry)
    except MachineError:
        return False


def _entries(root: Path) -> Iterator[CacheEntry]:
    """The entries of one version's cache, with what only they have as their size."""
    for kind in _listed(root):
        if kind.name not in _NOT_RESULTS and kind.is_dir():
            yield from _known(_paths(kind))


def _paths(kind: Path) -> Iterable[Path]:
    """The paths of the entries in the folder of a kind; links that lead to one of them are none."""
    if kind.name in _WHOLE:
        return (kind,)
    if kind.name not in DEEPER:
        return _listed(kind)
    return (path for inner in _listed(kind) for path in _listed(inner) if not (path.is_symlink() and path.exists()))


def _other_versions(root: Path) -> Iterator[CacheEntry]:
    """The caches of cannery's other versions, each as one entry."""
    versions = (path for path in _listed(root.parent) if path != root and re.match(r"\d+\.\d+", path.name))
    for entry in _known(path for path in versions if path.is_dir()):
        latest = max((path.stat().st_mtime for path in _listed(entry.path) if path.is_dir()), default=0)
        yield replace(entry, used=max(entry.used, latest))


def _known(paths: Iterable[Path]) -> Iterator[CacheEntry]:
    for path in paths:
        with suppress(FileNotFoundError):  # another one has removed it, or part of it
            yield _entry(path)


def _listed(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _entry(path: Path) -> CacheEntry:
    status = path.lstat()
    own, shared = status.st_blocks, {}
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            inside = os.lstat(f"{folder}/{name}")
            if inside.st_nlink > 1 and name not in folders:
                shared[inside.st_ino] = inside.st_blocks * _BLOCK
            else:
                own += inside.st_blocks
    return CacheEntry(path, own * _BLOCK, status.st_mtime, shared)
