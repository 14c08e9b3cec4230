"""The names of what files of requirements require, by which two of them are compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cannery.project.other_tools import lines_of
from cannery.project.pylock import canonical
from cannery.project.requirements_file import read_lines
from cannery.project.script_metadata import script_metadata
from cannery.project.tables import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cannery.project.app import App, RequirementsFile
    from cannery.project.requirement_lines import RequirementLines

__all__ = ["brings_project", "names_in", "required_names"]

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?=\s*(?:$|[\[<>=!~@(]))")
_LOCKS = {"uv", "poetry", "pylock"}  # kinds that name all that is installed, and not what for
_CONDITIONS = {"markers", "optional", "platform", "python"}  # of a requirement of Poetry's


def names_in(file: RequirementsFile, project: Iterable[str]) -> set[str]:
    """The names of what a file requires on every platform; ``project`` are the project's own requirements."""
    match file.kind:
        case "requirements":
            return _names(line.text for line in read_lines(file.path).lines)
        case "script":
            return _names((script_metadata(file.path) or {}).get("dependencies", []))
        case "project":
            return _names([*project, *_of_poetry(file.path)]) - {"python"}
        case kind:
            return _names(line.text for line in lines_of(file.path, kind, ()).lines)


def required_names(app: App) -> set[str]:
    """The names of what an app requires itself, on every platform."""
    file, own = app.requirements, app.metadata.dependencies
    if file is None:
        return set()
    if file.kind in _LOCKS:
        return _names([*own, *_of_poetry(app.folder / "pyproject.toml")])
    return names_in(file, own)


def brings_project(file: RequirementsFile, folder: Path) -> bool:
    """True where a file requires the project in ``folder`` itself (``-e .``), and so all that this requires."""
    if file.kind not in {"requirements", "pipenv", "conda"}:
        return False
    lines = _lines(file, folder)
    return bool(lines.remote) or any(line.path is not None and line.path.resolve() == folder for line in lines.lines)


def _lines(file: RequirementsFile, folder: Path) -> RequirementLines:
    return read_lines(file.path, folder) if file.kind == "requirements" else lines_of(file.path, file.kind, ())


def _of_poetry(path: Path) -> list[str]:
    """What ``[tool.poetry.dependencies]`` requires in any case."""
    tables = tables_of(path) if path.suffix == ".toml" else {}
    poetry: dict[str, Any] = tables.get("tool", {}).get("poetry", {}).get("dependencies", {})
    return [name for name, value in poetry.items() if not _is_conditional(value)]


def _is_conditional(value: object) -> bool:
    """True for a requirement of Poetry's that isn't one on every platform; a list has one for each."""
    if isinstance(value, list):
        return all(map(_is_conditional, value))
    return isinstance(value, dict) and not _CONDITIONS.isdisjoint(value)


def _names(requirements: Iterable[str]) -> set[str]:
    """The names, without those of requirements that have a marker, and of paths."""
    matches = (_NAME.match(text) for text in requirements if ";" not in text)
    return {canonical(match[0]) for match in matches if match}
