"""Requirements that stand in lines: requirements files, and what other tools write that comes to the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.project.requirement_lines import check_hashes
from cannery.project.requirements import Reading, Requirements
from cannery.project.requirements_file import parse_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cannery.project.local_projects import LocalWheel
    from cannery.project.requirement_lines import RequirementLine, RequirementLines
    from cannery.project.requirements import Wanted

    OfFolder = Callable[[Path], LocalWheel]
    OfRepository = Callable[[str, str, str], LocalWheel]  # of an address, a commit, and a subdirectory

__all__ = ["ANY_INDEX", "hashed_text", "reading_of_lines", "with_local_wheels"]

_OF_GIT = re.compile(
    r"(?P<name>[\w.-]+(?:\[[^]]*\])?)\s*@\s*git\+(?P<url>\S+)@(?P<commit>[0-9a-f]{40})"
    r"(?:#subdirectory=(?P<subdirectory>\S+))?(?P<marker> ;.*)?"
)
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
        from cannery.project.resolution import resolved  # noqa: PLC0415  # files with hashes need none of it

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


def with_local_wheels(text: str, source: Path, of_folder: OfFolder, of_repository: OfRepository) -> str:
    """The lines of ``text`` with a wheel, and its hash, in place of each project in a folder or in Git."""
    lines = (parse_lines(statement, source).lines[0] for statement in text.splitlines())
    return "".join(f"{_with_wheel(line, of_folder, of_repository)}\n" for line in lines)


def _with_wheel(line: RequirementLine, of_folder: OfFolder, of_repository: OfRepository) -> str:
    match = _OF_GIT.fullmatch(line.text)
    if match is not None:
        made = of_repository(match["url"], match["commit"], match["subdirectory"] or "")
        required = f"{match['name']} @ {made.path.as_uri()}{match['marker'] or ''}"
        return f"{required} --hash=sha256:{made.sha256}"
    if line.path is not None and line.path.is_dir():
        made = of_folder(line.path)
        return f"{line.at(made.path)} --hash=sha256:{made.sha256}"
    return f"{line.text}{''.join(f' --hash={each}' for each in line.hashes)}"
