"""The tables of ``pyproject.toml`` files, each parsed once, for those who only look something up in them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from cannery.workspace.documents import toml_tables
from cannery.workspace.files import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["tables_of"]


def tables_of(pyproject: Path) -> Mapping[str, Any]:
    """The tables of a file; empty where there is none, or one that can't be read, of which others complain."""
    try:
        marks = stamp(pyproject) if pyproject.is_file() else None
    except OSError:
        return {}
    return _parsed(pyproject, tuple(marks)) if marks else {}


@cache
def _parsed(path: Path, marks: tuple[int, ...]) -> Mapping[str, Any]:  # noqa: ARG001  # another file has other marks
    try:
        return toml_tables(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
