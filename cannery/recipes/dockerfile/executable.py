"""The stage of a Dockerfile that makes one executable of the app."""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.executable.onefile.scripts import commands_script, starting_script
from cannery.image.content import Inline
from cannery.project.app import HOME, ScriptEntry
from cannery.recipes.dockerfile.instructions import written
from cannery.recipes.dockerfile.job import (
    DockerfileJob,
    copied_resources,
    copies,
    relative,
    tops,
    written_files,
)
from cannery.recipes.dockerfile.pins import FREEZING
from cannery.recipes.dockerfile.templates import filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.imports.model import Reach

__all__ = ["executable_stage"]

_UNSEEN: Final = {"named", "entry point", "included", "traced", "data", "native"}  # ways that no import shows


def executable_stage(job: DockerfileJob, name: str) -> str:
    """The stage that freezes the app into one executable called ``name``.

    Raises :class:`ConfigurationError` for an app with commands: no instruction makes the links that start them.
    """
    app, files = job.app, job.files
    if app.commands:
        raise ConfigurationError(
            f"a Dockerfile of the recipe onefile can't have commands, such as {app.commands[0].name}",
            step="take the recipe scratch, slim or cython, or build it without a Dockerfile",
        )
    start = [str(app.entry.path) if isinstance(app.entry, ScriptEntry) else "start.py"]
    generated = "" if isinstance(app.entry, ScriptEntry) else written("/build/start.py", starting_script(app.entry))
    if not app.main.plain:
        start.insert(0, "commands.py")
        generated += written("/build/commands.py", commands_script(app.main, (), {}))
    below = [(f"/{relative(path)}", file) for path, file in files if path.startswith(f"{HOME}/")]
    return filled(
        "executable",
        tools=" ".join(FREEZING),
        dependencies="COPY --from=dependencies /dependencies/ /\n" if job.dependencies else "",
        copies=copies(files, app, "./") + copied_resources(job.own, "./"),
        generated=generated + "".join(written_files(below, "/build")),
        name=shlex.quote(name),
        paths=":".join(map(str, app.import_roots)),
        options="".join(f"{shlex.quote(option)} \\\n      " for option in _options(job)),
        script=shlex.join(start),
    )


def _options(job: DockerfileJob) -> Iterator[str]:
    """PyInstaller's options for modules that no import shows, and for the data of modules that are reached."""
    packages = [top.rstrip("/").rpartition("/")[2] for top in tops(job.files, job.app) if top.endswith("/")]
    for package in packages:
        yield f"--collect-submodules={package}"
        yield f"--collect-data={package}"
    yield from (f"--exclude-module={name}" for name in job.app.settings.onefile.without)
    yield from _own_data(job)
    if job.reached is not None:
        yield from _found(job.reached)


def _own_data(job: DockerfileJob) -> Iterator[str]:
    """Options that add the app's metadata, where ``importlib.metadata`` looks for it, and its resources."""
    for path, file in job.files:
        if isinstance(file.content, Inline) and path.endswith("/METADATA"):
            folder = relative(posixpath.dirname(path))
            yield f"--add-data={folder}:{posixpath.basename(folder)}"
    for resource in job.own.resource_names:
        name = resource.rstrip("/")
        yield f"--add-data={name}:{name if resource.endswith('/') else posixpath.dirname(name) or '.'}"


def _found(reached: Reach) -> Iterator[str]:
    """Options for dependencies: modules that are loaded by name, and the data and metadata of those reached."""
    for name, module in reached.modules.items():
        if module.reason.how in _UNSEEN and module.place == "dependencies" and module.kind != "namespace":
            yield f"--hidden-import={name}"
    for top in dict.fromkeys(path.partition("-packages/")[2].partition("/")[0] for path in reached.data):
        if top.endswith(".dist-info"):
            yield f"--copy-metadata={top.partition('-')[0]}"
        elif top:
            yield f"--collect-data={top}"
