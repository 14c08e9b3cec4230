"""``top_level.txt`` of a distribution, by which ``importlib.metadata.packages_distributions`` works without RECORD."""

from __future__ import annotations

import csv
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["TOP_LEVELS", "top_levels"]

TOP_LEVELS = "top_level.txt"
_MODULES = {".py", ".so"}


def top_levels(record: Path) -> bytes:
    """The content of ``top_level.txt`` for the distribution of ``record``: a top-level module on each line.

    No image has RECORD, which names the sources, and Python asks that where a wheel has no such file.
    """
    with record.open(encoding="utf-8", errors="replace", newline="") as stream:
        try:
            names = sorted(set(_names(csv.reader(stream))))
        except csv.Error:  # it's no table, and Python reads nothing from it either
            return b""
    return "".join(f"{name}\n" for name in names).encode()


def _names(rows: Iterator[list[str]]) -> Iterator[str]:
    for row in rows:
        path = PurePosixPath(row[0] if row else "")
        if path.suffix in _MODULES and (name := path.parts[0].partition(".")[0]).isidentifier():
            yield name
