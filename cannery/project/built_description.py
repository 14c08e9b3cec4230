"""Projects that leave their description to the build backend: setup.py, setup.cfg, dynamic fields, Flit's table."""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cannery.errors import ProjectError
from cannery.project.backend import own_metadata
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from cannery.project.backend import BuiltMetadata
    from cannery.project.pyproject import Project

__all__ = ["described"]


def described(project: Project) -> tuple[Project, str]:
    """The project as its build backend describes it, and a note where that doesn't answer and so all stays as it is."""
    workspace = Workspace.default()
    try:
        return _with(project, own_metadata(project.folder, Path(sys.executable), workspace)), ""
    except ProjectError as error:
        evidence = error.evidence.strip().splitlines()
        return project, f"{error.what}, and so its version and its commands aren't known: {' '.join(evidence[:2])}"


def _with(project: Project, built: BuiltMetadata) -> Project:
    """The project with all that its files don't tell."""
    groups = _entry_points(built.entry_points)
    told = project.metadata
    metadata = replace(
        told,
        version=told.version or built.value("Version"),
        description=told.description or built.value("Summary"),
        license=told.license or built.value("License-Expression") or built.value("License"),
        authors=told.authors or built.value("Author") or built.value("Author-email"),
        requires_python=told.requires_python or built.value("Requires-Python"),
        dependencies=told.dependencies or _always(built.values("Requires-Dist")),
        entry_points=groups or told.entry_points,
    )
    scripts = dict(dict(groups).get("console_scripts", ()))
    name = project.distribution or built.value("Name")
    return replace(project, distribution=name, metadata=metadata, scripts=scripts or project.scripts)


def _always(requirements: list[str]) -> tuple[str, ...]:
    return tuple(each for each in requirements if not re.search(r"\bextra\s*==", each))


def _entry_points(text: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The groups of ``entry_points.txt`` (packaging.python.org, entry points)."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as the documentation of configparser has it
    parser.read_string(text)
    return tuple((group, tuple(sorted(parser[group].items()))) for group in sorted(parser.sections()))
