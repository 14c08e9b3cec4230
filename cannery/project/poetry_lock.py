"""``poetry.lock``, read by Poetry itself."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from cannery.project.line_readers import ANY_INDEX, hashed_text
from cannery.project.requirements import Reading, Requirements, contents_of, each, uv
from cannery.project.requirements_file import parse_lines

if TYPE_CHECKING:
    from cannery.project.requirements import Wanted

__all__ = ["EXPORT", "STEP", "from_poetry"]

EXPORT = (
    *("tool", "run", f"--python={sys.executable}", "--from=poetry>=2", "--with=poetry-plugin-export>=1.9", "poetry"),
    *("export", "--format=requirements.txt", "--no-interaction", "--no-ansi"),
)
STEP = "run `poetry lock` if the lock is out of date"


def from_poetry(wanted: Wanted) -> Reading:
    """``poetry.lock``, read by Poetry in an environment that uv makes and keeps (uv tool run)."""
    path = wanted.file.path
    return Reading(contents_of(path, path.with_name("pyproject.toml")), partial(_ask, wanted))


def _ask(wanted: Wanted) -> Requirements:
    path = wanted.file.path
    chosen = (*each("--extras", wanted.extras), *each("--with", wanted.groups))
    lines = parse_lines(uv(wanted, *EXPORT, *chosen, step=STEP), path)
    return Requirements(
        path,
        hashed_text(wanted.folder, lines),
        "requirements",
        locked=True,
        universal=True,
        hashed=all(line.hashes for line in lines.lines if line.path is None),
        options=(*lines.options, ANY_INDEX),
    )
