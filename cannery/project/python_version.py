"""The Python that a project's files ask for: ``.python-version``, a script's metadata, a Pipfile, ``[project]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.project.app import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.project.app import RequirementsFile
    from cannery.project.pyproject import Project
    from cannery.project.settings import Settings

__all__ = ["found_python", "python_of"]

_FILE = ".python-version"
_VERSION = re.compile(r"(?:cpython[-@]?|python)?(3\.\d+)(?:\.\d+\w*)?t?")  # as pyenv and uv write it


def python_of(project: Project, file: RequirementsFile | None, settings: Settings) -> tuple[str | None, str]:
    """The minor version that ``.python-version`` names, and what ``requires-python`` is or comes to.

    The first is None where a setting is there, or no such file. The patch that it may name isn't heeded: images take
    the one that this machine has.
    """
    requires = project.metadata.requires_python or _required_by(file)
    path = project.folder / _FILE
    if settings.python is not None or not path.is_file():
        return None, requires
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8", "replace").splitlines())
    versions = (match[1] for line in lines if (match := _VERSION.fullmatch(line)))
    return next(versions, None), requires


def found_python(version: str | None) -> Iterator[Found]:
    """What to say of the version that ``.python-version`` names."""
    if version is not None:
        yield Found("python", version, _FILE)


def _required_by(file: RequirementsFile | None) -> str:
    """The versions that a script, or a Pipfile, allows; empty where it says nothing."""
    if file is not None and file.kind == "script":
        from cannery.project.script_metadata import script_metadata  # noqa: PLC0415

        return str((script_metadata(file.path) or {}).get("requires-python", ""))
    if file is not None and file.kind == "pipenv":
        from cannery.project.other_tools import python_of_pipenv  # noqa: PLC0415

        return python_of_pipenv(file.path)
    return ""
