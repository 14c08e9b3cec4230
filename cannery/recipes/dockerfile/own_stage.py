"""The Dockerfile whose stage runs cannery itself, for recipes that are no instructions: ``tiny`` and ``static``."""

from __future__ import annotations

import os
import shlex
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.project.app import LOCK_FILE
from cannery.project.interpreter import interpreter_for
from cannery.project.pyproject import convert, read_project
from cannery.project.requirements_file import read_lines
from cannery.project.settings import Settings
from cannery.project.uv_sources import local_sources
from cannery.python.distribution.suites import parse_suite
from cannery.python.stdlib import python_path
from cannery.recipes.common import pinned_dependencies
from cannery.recipes.container_config import container_config, program_config
from cannery.recipes.dockerfile.instructions import copy, execution
from cannery.recipes.dockerfile.job import copied_resources, copies
from cannery.recipes.dockerfile.templates import filled
from cannery.recipes.static_program.parts import PROGRAMS
from cannery.trees.packed_python import MACHINE_RUNTIME, packed_python
from cannery.trees.wheels import environment_data
from cannery.workspace.files import user_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from cannery.project.app import App
    from cannery.recipes.dockerfile.job import DockerfileJob
    from cannery.recipes.dockerfile.wheel import CanneryWheel
    from cannery.workspace.workspace import Workspace

__all__ = ["inputs_of_stage", "made_by_cannery", "notes_on_stage"]

# Settings that decide what an image's files are, and that variables and flags may give: the project's own file need not
# have them.
_DECIDING: Final = (
    *("name", "version", "entry", "requirements", "timezones", "ca_certificates", "runtime", "strip", "optimize"),
    *("compile", "compress", "sbom", "user", "health", "init"),
)
_TELLING: Final = ("setup.cfg", "setup.py", "Procfile", "alembic.ini")  # files that may say what starts, and of what


def made_by_cannery(job: DockerfileJob, wheel: CanneryWheel, workspace: Workspace) -> str:
    """The stage in which cannery makes the files of an image, and the image of these."""
    app = job.app
    settings = app.settings
    named = bool(settings.python and "/" in settings.python)
    return filled(
        "cannery",
        builder="TOOLS" if _compiles(app) else "BASE",
        wheel=copy([wheel.path], "./") if wheel.path else "",
        requirement=shlex.quote(wheel.requirement),
        locked=" \\\n".join(f' && $pip --requirement "$locked/{name}.txt"' for name in _locked(app)) + "\n",
        copies=_copied_inputs(app) + copies(job.files, app, "./") + copied_resources(job.own, "./"),
        variables="".join(f"{name}={shlex.quote(value)} " for name, value in _variables(app)),
        recipe=settings.recipe,
        python='--python="$(command -v python3)" ' if named else "",
        execution=execution(_config(job, workspace)),
    )


def inputs_of_stage(app: App) -> tuple[str, ...]:
    """The files and folders of the project that cannery reads beside the app's own, relative to it.

    Raises :class:`ConfigurationError` for what lies outside of it, where no Dockerfile reaches.
    """
    named = [*_named_files(app), *_requirement_files(app)]
    found = dict.fromkeys(_inside(app, path, why) for path, why in named)
    return tuple(f"{name}/" if (app.folder / name).is_dir() else name for name in found)


def notes_on_stage(app: App) -> Iterator[str]:
    """What such a Dockerfile does otherwise than this machine does it."""
    if app.settings.recipe == "static" and _given_kit(app) is None:
        yield "the kit is built from its sources in the stage, which takes minutes: name one in the project by kit"


def _config(job: DockerfileJob, workspace: Workspace) -> dict[str, Any]:
    """The config that cannery gives an image by the recipe, with the base's Python or that of the runtime."""
    app = job.app
    if app.settings.recipe == "tiny":
        elsewhere = app.settings.runtime not in {None, MACHINE_RUNTIME}
        python = python_path(packed_python(app, workspace)) if elsewhere else f"/usr/local/bin/{job.base.python}"
        return container_config(app, python)
    beside = bool(job.own.resource_names) or _brings_data(app, workspace)
    return program_config(app, f"{PROGRAMS}/{app.name.rpartition('/')[2]}", unpacks=False, resources=beside)


def _brings_data(app: App, workspace: Workspace) -> bool:
    """Whether wheels have files that lie beside the program."""
    if app.requirements is None:
        return False
    python = interpreter_for(app, workspace)
    wheels = pinned_dependencies(app, python.target, workspace).wheels
    return bool(environment_data(wheels, python.target.site_packages, workspace).tree.entries)


def _compiles(app: App) -> bool:
    return app.settings.compile and app.settings.recipe != "static"  # which has Zig


def _locked(app: App) -> Iterator[str]:
    """The lists of packages that cannery needs to make the image, by the extras that they are called after."""
    settings = app.settings
    yield "static" if settings.recipe == "static" else "cannery"
    if settings.compile:
        yield "cython"
    if settings.recipe == "tiny" and settings.runtime not in {None, MACHINE_RUNTIME}:
        yield "registry" if parse_suite(settings.runtime or "") is None else "packages"


def _copied_inputs(app: App) -> str:
    names = sorted(inputs_of_stage(app), key=_folder)
    files = [name for name in names if not name.endswith("/")]
    folders = "".join(copy([name], f"./{name}") for name in names if name.endswith("/"))
    return "".join(copy([*each], f"./{folder}") for folder, each in groupby(files, _folder)) + folders


def _folder(path: str) -> str:
    return "".join(path.rpartition("/")[:2])


def _named_files(app: App) -> Iterator[tuple[Path, str]]:
    """Files that settings name, or that cannery looks for by their names, each with what asks for it."""
    settings = app.settings
    for name in ("pyproject.toml", LOCK_FILE, *_TELLING):
        if (path := app.folder / name).is_file():
            yield path, name
    if settings.ca_certificates not in {None, "system"}:
        yield app.folder / user_path(settings.ca_certificates or ""), "ca-certificates"
    if settings.recipe == "static" and (kit := _given_kit(app)) is not None:
        yield kit, "kit"
    for kind in ("oci:", "docker-archive:"):
        if settings.recipe == "tiny" and (settings.runtime or "").startswith(kind):
            yield app.folder / user_path((settings.runtime or "").removeprefix(kind).partition(":")[0]), "runtime"


def _requirement_files(app: App) -> Iterator[tuple[Path, str]]:
    if app.requirements is None:
        return
    why = app.requirements.path.name
    if app.requirements.kind == "requirements":
        lines = read_lines(app.requirements.path, app.folder)
        yield from ((path, why) for path in lines.files)
        yield from ((line.path, why) for line in lines.lines if line.path is not None)
    else:
        yield app.requirements.path, why
        yield from ((path, why) for path in local_sources(app.folder))


def _inside(app: App, path: Path, why: str) -> str:
    """The path relative to the project; raises :class:`ConfigurationError` for one outside of it."""
    absolute = Path(os.path.normpath(app.folder / path))
    if not absolute.is_relative_to(app.folder):
        raise ConfigurationError(
            f"a Dockerfile can't have what lies outside the project: {absolute}",
            evidence=f"{why} names it",
            step="copy it into the project and name it there; or let cannery build the image",
        )
    return absolute.relative_to(app.folder).as_posix()


def _given_kit(app: App) -> Path | None:
    """The kit that the settings name; that of CANNERY_KIT is of this machine, and none of the project."""
    given = app.settings.static.kit
    return app.folder / user_path(given.partition("#sha256=")[0]) if given else None


def _variables(app: App) -> Iterator[tuple[str, str]]:
    """The variables that give cannery those settings which aren't in the project's file."""
    project = read_project(app.folder)
    written = convert(dict(project.table), Settings, "pyproject.toml")
    for name in _DECIDING:
        value = getattr(app.settings, name)
        if value is not None and value != getattr(written, name):
            yield f"CANNERY_{name.upper()}", str(value).lower() if isinstance(value, bool) else str(value)
    if written.name is None and app.settings.name is None and app.distribution is None:
        yield "CANNERY_NAME", app.name  # the folder's, which is another in the stage
    if project.leaves_version and app.metadata.version and written.version is None and app.settings.version is None:
        yield "CANNERY_VERSION", app.metadata.version  # that a backend has told, from files that aren't there
