"""Names for what files of this machine hold, which are the same on another machine that has the same files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cannery.workspace.files import explained
from cannery.workspace.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.workspace.cache import Cache

    # A name for a file, its path on this machine, and what is something else once it has changed
    Stamped = tuple[str, Path | str, Any]

__all__ = ["contents_key"]


def contents_key(files: Iterable[Stamped], cache: Cache) -> str:
    """A name for the contents of ``files``, by their names: places and times take no part.

    They are read once, and remembered by their stamps.
    """
    found = sorted(((name, os.fspath(path), stamp) for name, path, stamp in files), key=lambda each: each[:2])
    key = key_of("contents", found)
    known = cache.recall("contents", key)
    if known is None:
        known = {"key": key_of([(name, _content(path)) for name, path, _ in found])}
        cache.remember("contents", key, known)
    return str(known["key"])


def _content(path: str) -> str | None:
    """The digest of a file, with that which a link leads to; None for a link that leads to no file."""
    if not os.path.isfile(path):  # noqa: PTH113  # paths are text here
        return os.readlink(path) if os.path.islink(path) else None  # noqa: PTH114, PTH115
    with explained(Path(path), "read"), open(path, "rb") as stream:  # noqa: PTH123
        return hashlib.file_digest(stream, "sha256").hexdigest()
