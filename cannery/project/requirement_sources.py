"""Where a project keeps its requirements: the one place among those that people use, or an error that names two."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError, ProjectError
from cannery.project.app import Found, RequirementsFile
from cannery.project.poetry_sources import poetry_sources
from cannery.project.script_metadata import script_metadata
from cannery.project.tables import tables_of
from cannery.project.uv_sources import workspace_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cannery.project.app import RequirementsKind, ScriptEntry
    from cannery.project.pyproject import Project
    from cannery.project.settings import Settings

__all__ = ["find_requirements", "found_requirements"]

_LOCKS: Final[Mapping[str, RequirementsKind]] = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "Pipfile.lock": "pipenv",
    "pdm.lock": "pdm",
}
_NAMED: Final[Mapping[str, RequirementsKind]] = {
    **_LOCKS,
    "pylock.toml": "pylock",
    "Pipfile": "pipenv",
    "pyproject.toml": "project",
    "setup.cfg": "project",
    "setup.py": "project",
}
_PYLOCK: Final = re.compile(r"pylock\.[^.]+\.toml")
_OF_CONDA: Final = ("environment.yml", "environment.yaml")


def find_requirements(project: Project, settings: Settings, script: ScriptEntry | None) -> RequirementsFile | None:
    """The file that the settings name, or a lock, or else the one that has requirements; None where nothing has.

    A ``script`` is what starts, if that is one.

    Raises :class:`ConfigurationError` where the named one doesn't exist, and where two are as likely;
    :class:`ProjectError` where Poetry's dependencies have no lock.
    """
    if settings.requirements is not None:
        return _named(project.folder, settings.requirements)
    locks = [*_locks(project.folder)]
    if len(locks) > 1:
        raise _ambiguous(locks[0].path, locks[1].path, project.folder, "both are locks")
    if locks:
        return locks[0]
    sources = [*_sources(project, settings, script)]
    for other in sources[1:]:
        _refuse_other(sources[0], other, project)
    if sources and sources[0].kind == "project":
        _refuse_unlocked_poetry(project)
    return sources[0] if sources else None


def found_requirements(file: RequirementsFile | None, settings: Settings, folder: Path) -> Iterator[Found]:
    """What to say of the file of requirements that was taken where the settings name none."""
    if settings.requirements is None and file is not None:
        name = os.path.relpath(file.path, folder)
        yield Found("requirements", "# /// script" if file.kind == "script" else name, name)


def _named(folder: Path, name: str) -> RequirementsFile:
    path = folder / name
    if not path.is_file():
        raise ConfigurationError(
            f"requirements = {name!r}: there is no such file in {folder}",
            step="name a requirements file or a lock relative to the project",
        )
    return RequirementsFile(path, _kind(path))


def _kind(path: Path) -> RequirementsKind:
    if _PYLOCK.fullmatch(path.name):
        return "pylock"
    kinds: Mapping[str, RequirementsKind] = {".py": "script", ".yml": "conda", ".yaml": "conda"}
    return _NAMED.get(path.name) or kinds.get(path.suffix, "requirements")


def _locks(folder: Path) -> Iterator[RequirementsFile]:
    """The locks of the project: those of the tools, else those that any tool writes (PEP 751)."""
    found = [RequirementsFile(folder / name, kind) for name, kind in _LOCKS.items() if (folder / name).is_file()]
    root = None if found else workspace_root(folder)
    if root is not None and (root / "uv.lock").is_file():
        found = [RequirementsFile(root / "uv.lock", "uv")]
    if not found and (folder / "pylock.toml").is_file():
        found = [RequirementsFile(folder / "pylock.toml", "pylock")]
    yield from found
    if not found:
        paths = (path for path in sorted(folder.glob("pylock.*.toml")) if _PYLOCK.fullmatch(path.name))
        yield from (RequirementsFile(path, "pylock") for path in paths)


def _sources(project: Project, settings: Settings, script: ScriptEntry | None) -> Iterator[RequirementsFile]:
    """The files that say what the program requires, the likeliest first."""
    from cannery.project.requirements_folder import requirements_file_in  # noqa: PLC0415  # a lock needs none of it

    folder = project.folder
    if script is not None and script_metadata(folder / script.path) is not None:
        yield RequirementsFile(folder / script.path, "script")
        if script.path.parent.parts:
            return  # a script in a folder of its own has requirements of its own
    if (path := requirements_file_in(folder)) is not None:
        yield RequirementsFile(path, "requirements")
    if (path := folder / "Pipfile").is_file():
        yield RequirementsFile(path, "pipenv")
    if (path := _description(project, settings)) is not None:
        yield RequirementsFile(path, "project")
    yield from (RequirementsFile(folder / name, "conda") for name in _OF_CONDA if (folder / name).is_file())


def _description(project: Project, settings: Settings) -> Path | None:
    """The project's own description, where it says what the project requires, or may have its backend say it."""
    metadata, folder = project.metadata, project.folder
    dynamic = {"dependencies", "poetry"}.intersection(metadata.dynamic)
    if project.pyproject and (metadata.dependencies or dynamic or settings.extras or settings.groups):
        return project.pyproject
    described = (folder / name for name in ("setup.cfg", "setup.py"))
    return next((path for path in described if path.is_file() and metadata.dependencies), None)


def _refuse_other(taken: RequirementsFile, other: RequirementsFile, project: Project) -> None:
    """Raise :class:`ConfigurationError` where ``other`` names something that the file ``taken`` doesn't bring."""
    from cannery.project.requirement_names import brings_project, names_in  # noqa: PLC0415

    if other.kind == "project" and brings_project(taken, project.folder):
        return
    own = project.metadata.dependencies
    if lacking := sorted(names_in(other, own) - names_in(taken, own)):
        raise _ambiguous(
            taken.path, other.path, project.folder, f"{', '.join(lacking[:3])}: in {other.path.name} alone"
        )


def _ambiguous(one: Path, other: Path, folder: Path, why: str) -> ConfigurationError:
    names = [os.path.relpath(path, folder) for path in (one, other)]
    return ConfigurationError(
        f"requirements stand in {names[0]} and in {names[1]}",
        evidence=why,
        step=f'choose one in pyproject.toml:  [tool.cannery]  requirements = "{names[0]}"  (or "{names[1]}")',
    )


def _refuse_unlocked_poetry(project: Project) -> None:
    """Raise :class:`ProjectError` for Poetry's own tables, of dependencies and of indexes, which only Poetry reads.

    Its build backend tells the former of a project that can be built.
    """
    evidence, step = f"there is no poetry.lock in {project.folder}", "run: poetry lock"
    if "poetry" in project.metadata.dynamic and not (project.pyproject and _is_built_by_poetry(project.pyproject)):
        what = "[tool.poetry.dependencies] names requirements that nothing pins"
        raise ProjectError(what, evidence=evidence, step=step)
    if project.pyproject and (sources := poetry_sources(project.pyproject)):
        name, url = next(iter(sources.items()))
        what = f"[[tool.poetry.source]] says that requirements come from {name} ({url}), and nothing pins them"
        raise ProjectError(what, evidence=evidence, step=step)


def _is_built_by_poetry(pyproject: Path) -> bool:
    tables = tables_of(pyproject)
    backend = tables.get("build-system", {}).get("build-backend", "")
    return str(backend).startswith("poetry.") and tables.get("tool", {}).get("poetry", {}).get("package-mode", True)
