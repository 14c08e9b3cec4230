"""The metadata that a script carries in its comments (PEP 723)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cannery.errors import RequirementsError
from cannery.workspace.documents import toml_tables

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["script_metadata"]

_BLOCK = re.compile(r"(?m)^# /// script$\s(?P<content>(?:^#(?:| .*)$\s)+)^# ///$")  # as PEP 723 gives it


def script_metadata(path: Path) -> dict[str, Any] | None:
    """The table that a script carries; None where it has none.

    Raises :class:`RequirementsError` for one that isn't TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None  # told where the app's files are read
    match = _BLOCK.search(text) if "# ///" in text else None
    if match is None:
        return None
    lines = (line.removeprefix("#").removeprefix(" ") for line in match["content"].splitlines(keepends=True))
    try:
        return toml_tables("".join(lines))
    except ValueError as error:
        what = f"the metadata in {path} is not TOML"
        raise RequirementsError(what, evidence=str(error), step="correct it (PEP 723)") from error
