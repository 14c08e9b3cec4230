"""The app that a project's files and settings make: :class:`~cannery.project.app.App`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from cannery.errors import ConfigurationError, ProjectError
from cannery.project import entrypoints
from cannery.project.app import App, Command, ModuleEntry, ScriptEntry
from cannery.project.interpreter import find_fitting
from cannery.project.modules import import_roots
from cannery.project.odd_files import refuse_odd_files
from cannery.project.own_code import OwnCode
from cannery.project.precedence import resolve_settings
from cannery.project.pyproject import read_project
from cannery.project.python_version import found_python, python_of
from cannery.project.requirement_sources import find_requirements, found_requirements
from cannery.project.search_path import added_roots
from cannery.project.startable import Startable
from cannery.project.starts import Starts
from cannery.workspace.files import user_path
from cannery.workspace.process import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path, PurePosixPath

    from cannery.project.app import RequirementsFile
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
    refuse_odd_files(project.folder)
    settings, _ = resolve_settings(project, flags, environ)
    untold = ""
    if project.leaves_commands:
        project, untold = _described(project)
    own = _own_code(project, settings)
    startable = Startable(own, project.scripts)
    starts, settings = _starts(startable, project, settings, library=library)
    roots = _roots(own, starts)
    if project.leaves_version and settings.version is None and starts.script is None:
        project, untold = _described(project)
    script = ScriptEntry(starts.script) if starts.script is not None else None
    requirements = find_requirements(project, settings, script)
    if requirements is None:
        starts = starts.without_dependencies(startable)
    app = _app(project, settings, starts, requirements, roots)
    return structs.replace(app, notes=(untold, *app.notes)) if untold else app


def _own_code(project: Project, settings: Settings) -> OwnCode:
    version, requires = python_of(project, None, settings)
    find = partial(find_fitting, project.folder, settings.python, version, requires, run)
    return OwnCode(project.folder, import_roots(project.folder), find)


def _starts(startable: Startable, project: Project, settings: Settings, *, library: bool) -> tuple[Starts, Settings]:
    """What the app starts, and the settings with what that asks for: variables, the packages of a ``library``."""
    own = startable.own
    try:
        starts = entrypoints.find(startable, settings, project.distribution, lambda: _requirements(project, settings))
    except ProjectError:
        packages = entrypoints.packages(own.folder, tuple(own.roots)) if library else ()
        if not packages:
            raise
        starts = Starts(Command("", ModuleEntry(packages[0])))
        settings = msgspec.structs.replace(settings, packages=(*settings.packages, *packages))
    if starts.env:
        settings = msgspec.structs.replace(settings, env={**starts.env, **settings.env})
    return starts, settings


def _roots(own: OwnCode, starts: Starts) -> tuple[PurePosixPath, ...]:
    """The folders that imports start from, with those that the scripts which are started add."""
    roots = tuple(own.roots)
    if starts.root is not None and starts.root not in roots:
        roots = (starts.root, *roots)  # Python looks in a script's own folder first
    run_files = (each.entry.path for each in (starts.main, *starts.commands) if isinstance(each.entry, ScriptEntry))
    return (*roots, *added_roots(replace(own, roots=roots), filter(None, (starts.script, *run_files))))


def _app(
    project: Project,
    settings: Settings,
    starts: Starts,
    requirements: RequirementsFile | None,
    roots: tuple[PurePosixPath, ...],
) -> App:
    name = settings.name or _image_name(project.distribution or project.folder.name)
    wanted_python, requires_python = python_of(project, requirements, settings)
    version = settings.version or project.metadata.version
    return App(
        folder=project.folder,
        name=name,
        distribution=project.distribution,
        metadata=structs.replace(project.metadata, version=version, requires_python=requires_python),
        main=starts.main,
        commands=starts.commands,
        import_roots=roots,
        requirements=requirements,
        archive=_archive(project.folder, name, settings.output),
        settings=settings,
        found=(
            *starts.found,
            *found_requirements(requirements, settings, project.folder),
            *found_python(wanted_python),
        ),
        python=wanted_python,
        notes=starts.notes,
    )


def _requirements(project: Project, settings: Settings) -> str:
    """The text of the file of requirements; empty where there is none."""
    file = find_requirements(project, settings, None)
    return file.path.read_text(encoding="utf-8", errors="replace") if file is not None else ""


def _described(project: Project) -> tuple[Project, str]:
    from cannery.project.built_description import described  # noqa: PLC0415  # few projects leave that to a backend

    return described(project)


def _image_name(text: str) -> str:
    """``text`` as a repository name that registries accept (OCI distribution-spec v1.1, pulling manifests)."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in text.lower())
    return "-".join(filter(None, kept.split("-"))) or "app"


def _archive(folder: Path, name: str, output: str | None) -> Path:
    """The path of the image's archive: ``output``, or ``dist/NAME.tar`` in the project's ``folder``."""
    if output is None:
        return folder / "dist" / f"{name.rpartition('/')[2]}.tar"
    if output == "-":
        step = "name a file: --output image.tar"
        raise ConfigurationError("an image is written to a file, and to no stream", step=step)
    path = user_path(output).absolute()
    if path.is_dir():
        step = f"name a file: --output {path / 'image.tar'}"
        raise ConfigurationError(f"output = {output!r} is a folder", step=step)
    return path
