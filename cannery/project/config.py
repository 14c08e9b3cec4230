"""The app that a project's files and settings make: :class:`~cannery.project.app.App`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from cannery.errors import ConfigurationError, ProjectError
from cannery.project import entrypoints
from cannery.project.app import App, Found, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.modules import import_roots
from cannery.project.precedence import resolve_settings
from cannery.project.pyproject import read_project
from cannery.project.python_version import found_python, python_of
from cannery.project.requirement_sources import find_requirements, found_requirements
from cannery.workspace.files import user_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cannery.project.app import EntryPoint
    from cannery.project.pyproject import Project
    from cannery.project.settings import Settings

__all__ = ["load"]


def load(
    folder: Path,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    library: bool = False,
) -> App:
    """The app of the project in ``folder``; ``flags`` and ``environ`` as for :func:`resolve_settings`.

    A ``library`` may have no entry point: its packages are the app then. Raises :class:`ConfigurationError` for a wrong
    setting, :class:`ProjectError` where there is nothing to run.
    """
    project = read_project(folder)
    settings, _ = resolve_settings(project, flags, environ)
    untold = ""
    if project.leaves_commands:
        project, untold = _described(project)
    roots = import_roots(project.folder)
    try:
        entry = entrypoints.find(project.folder, roots, settings, project.distribution, project.scripts)
    except ProjectError:
        packages = entrypoints.packages(project.folder, roots) if library else ()
        if not packages:
            raise
        entry = ModuleEntry(packages[0])
        settings = msgspec.structs.replace(settings, packages=(*settings.packages, *packages))
    if isinstance(entry, ScriptEntry) and entry.path.parent not in roots:
        roots = (entry.path.parent, *roots)  # Python looks in a script's own folder first
    if project.leaves_version and settings.version is None and not isinstance(entry, ScriptEntry):
        project, untold = _described(project)
    name = settings.name or _image_name(project.distribution or project.folder.name)
    requirements = find_requirements(project, settings, entry)
    wanted_python, requires_python = python_of(project, requirements, settings)
    return App(
        folder=project.folder,
        name=name,
        distribution=project.distribution,
        metadata=replace(
            project.metadata, version=settings.version or project.metadata.version, requires_python=requires_python
        ),
        entry=entry,
        import_roots=roots,
        requirements=requirements,
        archive=_archive(project.folder, name, settings.output),
        settings=settings,
        found=(
            *_found_entry(entry, settings),
            *found_requirements(requirements, settings, project.folder),
            *found_python(wanted_python),
        ),
        python=wanted_python,
        notes=(untold,) if untold else (),
    )


def _described(project: Project) -> tuple[Project, str]:
    from cannery.project.built_description import described  # noqa: PLC0415  # few projects leave that to a backend

    return described(project)


def _found_entry(entry: EntryPoint, settings: Settings) -> Iterator[Found]:
    """The entry point that was taken where the settings name none."""
    if settings.entry is None:
        match entry:
            case ScriptEntry(path):
                yield Found("entry", str(path), str(path))
            case ModuleEntry(name):
                yield Found("entry", name, f"{name}.__main__")
            case FunctionEntry(script):
                yield Found("entry", script, "[project.scripts]")


def _image_name(text: str) -> str:
    """``text`` as a repository name that registries accept (OCI distribution-spec v1.1, pulling manifests)."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in text.lower())
    return "-".join(filter(None, kept.split("-"))) or "app"


def _archive(folder: Path, name: str, output: str | None) -> Path:
    """The path of the image's archive: ``output``, or ``dist/NAME.tar`` in the project's ``folder``."""
    if output is None:
        return folder / "dist" / f"{name.rpartition('/')[2]}.tar"
    path = user_path(output).absolute()
    if path.is_dir():
        step = f"name a file: --output {path / 'image.tar'}"
        raise ConfigurationError(f"output = {output!r} is a folder", step=step)
    return path
