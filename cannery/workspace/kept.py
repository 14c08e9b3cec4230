"""Files of the cache that are known by a key and carry their digest in their name, so that damage is noticed.

A file lies under its key, a dot and the SHA-256 of its content; the key alone is a symbolic link that leads there. So
one look at the link tells both where the file lies and what it must hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cannery.workspace.digest import Digest
from cannery.workspace.files import explained
from cannery.workspace.use import used

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KeptFile", "keep", "kept_file"]


class KeptFile(NamedTuple):
    """A file of the cache, as it was when it was kept."""

    path: Path
    size: int  # bytes
    digest: Digest


def kept_file(link: Path) -> KeptFile | None:
    """The file that was kept as ``link``; None where there is none, or one that a crash left empty.

    It's marked as in use, so that eviction spares it.
    """
    try:
        name = link.readlink().name
        path = link.parent / name
        size = path.stat().st_size
    except OSError:
        return None
    return KeptFile(path, size, Digest(name.rpartition(".")[2])) if size and used(path) else None


def keep(made: Path, link: Path, digest: Digest) -> KeptFile:
    """Move ``made``, of the cache's scratch, whose content has ``digest``, to where ``link`` leads to from now on.

    Raises :class:`MachineError` where the cache can't be written.
    """
    path = link.parent / f"{link.name}.{digest.hex}"
    beside = made.with_name(f"{made.name}.link")
    with explained(link):
        link.parent.mkdir(parents=True, exist_ok=True)
        made.replace(path)
        beside.symlink_to(path.name)
        beside.replace(link)
    return KeptFile(path, path.stat().st_size, digest)
