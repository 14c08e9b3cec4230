"""Names that a project's files have by custom, where something else stands that nobody can read as a file."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from cannery.errors import ProjectError
from cannery.workspace.files import explained, kind_of

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["refuse_odd_files"]

_BY_CUSTOM: Final = re.compile(
    r"pyproject\.toml|(?:uv|poetry|pdm)\.lock|pylock(?:\.[^.]+)?\.toml|Pipfile(?:\.lock)?|requirements.*\.(?:txt|in)"
    r"|setup\.(?:cfg|py)|environment\.ya?ml|Procfile|Dockerfile|Containerfile|\.python-version"
)


def refuse_odd_files(folder: Path) -> None:
    """Raise :class:`ProjectError` for a pipe, a device or a link to nothing in ``folder`` that is called like a file.

    A lock that's a link to nothing would count for none, and a pipe be waited for.
    """
    with explained(folder, "read"), os.scandir(folder) as found:
        odd = sorted(entry.name for entry in found if _BY_CUSTOM.fullmatch(entry.name) and _is_odd(entry))
    for name in odd:
        raise ProjectError(
            f"{name} is {_told(folder / name)}, and no file", step="put the file in its place, or remove it"
        )


def _is_odd(entry: os.DirEntry[str]) -> bool:
    try:
        return not (entry.is_file() or entry.is_dir())
    except OSError:  # a loop of links
        return True


def _told(path: Path) -> str:
    kind = kind_of(path.lstat().st_mode)
    if not path.is_symlink():
        return kind
    try:
        return f"a link to {kind_of(path.stat().st_mode)}"
    except OSError:
        return f"a link to nothing ({path.readlink()})"
