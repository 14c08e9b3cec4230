"""Requirements that stand in lines: requirements files, and what other tools write that comes to the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.requirement_lines import check_hashes
from cannery.project.requirements import Reading, Requirements
from cannery.project.requirements_file import parse_lines
from cannery.project.resolution import resolved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cannery.project.local_projects import LocalWheel
    from cannery.project.requirement_lines import RequirementLines
    from cannery.project.requirements import Wanted

__all__ = ["ANY_INDEX", "hashed_text", "reading_of_lines", "with_local_wheels"]

# With hashes it doesn't matter which index a file comes from; without, uv's own rule holds (first-index).
ANY_INDEX = "--index-strategy=unsafe-best-match"


def reading_of_lines(wanted: Wanted, lines: RequirementLines) -> Reading:
    """The requirements ``lines``: as they are where they have hashes, or else resolved for the target."""
    path = wanted.file.path
    check_hashes(lines, path.name)
    lines.notes += [
        f"{path.name} asks for {value} to be built from source (--no-binary): images take wheels alone"
        for value in lines.from_source
    ]
    if not lines.hashed:
        return resolved(wanted, lines)
    found = Requirements(
        path,
        hashed_text(wanted.folder, lines),
        "requirements",
        locked=True,
        universal=True,
        hashed=True,
        complete=False,
        notes=tuple(lines.notes),
    )
    return Reading(None, lambda: found, (*lines.options, ANY_INDEX))


def hashed_text(folder: Path, lines: RequirementLines) -> str:
    """The lines with their hashes and with absolute paths; without the project in ``folder``, which isn't installed."""
    others = [line for line in lines.lines if line.path is None or line.path.resolve() != folder]
    return "".join(f"{line.absolute()}{''.join(f' --hash={each}' for each in line.hashes)}\n" for line in others)


def with_local_wheels(text: str, source: Path, wheel: Callable[[Path], LocalWheel]) -> str:
    """The lines of ``text`` with a wheel, and its hash, in place of each folder."""
    written = []
    for statement in text.splitlines():
        path = parse_lines(statement, source).lines[0].path if "file:" in statement else None
        if path is not None and path.is_dir():
            made = wheel(path)
            written.append(f"{parse_lines(statement, source).lines[0].at(made.path)} --hash=sha256:{made.sha256}\n")
        else:
            written.append(f"{statement}\n")
    return "".join(written)
