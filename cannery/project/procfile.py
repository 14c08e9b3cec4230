"""A Procfile: a line for each process, ``web: gunicorn main:app`` (devcenter.heroku.com, The Procfile)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_procfile"]

_LINE: Final = re.compile(r"^[ \t]*([A-Za-z0-9][A-Za-z0-9_.-]*)[ \t]*:[ \t]*(\S.*)$", re.MULTILINE)


def read_procfile(folder: Path) -> dict[str, str]:
    """The processes of the project in ``folder``, by name; empty where it has no Procfile."""
    path = folder / "Procfile"
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    return {name: command.rstrip() for name, command in _LINE.findall(text)}
