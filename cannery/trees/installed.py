"""The files that installing the project would add to it: metadata, and scripts that start it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cannery.image.content import Inline
from cannery.image.tree import File
from cannery.project.app import (
    HOME,
    PLACE,
    App,
    ApplicationEntry,
    FunctionEntry,
    ModuleEntry,
    NamedEntry,
    ScriptEntry,
)
from cannery.trees.scripts import script_name, script_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PYTHON", "entry_command", "entry_files", "installed_files"]

PYTHON = "/usr/local/bin/python3"  # where images from scratch have it


def entry_command(app: App, python: str, suffix: str = ".pyc") -> tuple[str, ...]:
    """The image's entry point in exec form, for the interpreter ``python`` and modules that end in ``suffix``."""
    if (script := script_name(app.main)) is not None:
        return (f"{PLACE}/{script}",)
    match app.entry:
        case ScriptEntry():
            return (python, str(app.entry.image_path.with_suffix(suffix)))
        case ModuleEntry(name) | FunctionEntry(module=name):
            return (python, "-m", name)


def entry_files(app: App) -> frozenset[str]:
    """The paths in the image that modules may have that Python runs as scripts, while they are sources."""
    files: set[str] = set()
    for entry in app.entries:
        match entry:
            case ScriptEntry():
                files.add(str(entry.image_path))
            case ModuleEntry(name):
                files.update(f"{root}/{name.replace('.', '/')}.py" for root in app.image_roots)
    return frozenset(files)


def installed_files(app: App, python: str, suffix: str = ".pyc") -> Iterator[tuple[str, File]]:
    """The files that an installation for ``python`` adds to the project, with their paths in the image.

    The app's modules end in ``suffix`` there.
    """
    if app.distribution and app.metadata.version:
        name = app.distribution.replace("-", "_")
        folder = PurePosixPath(HOME, app.import_roots[0], f"{name}-{app.metadata.version}.dist-info")
        yield f"{folder}/METADATA", _text(_metadata(app.distribution, app), 0o644)
        if app.metadata.entry_points:
            yield f"{folder}/entry_points.txt", _text(_entry_points(app), 0o644)
    for command in (app.main, *app.commands):
        entry = command.entry
        if isinstance(entry, NamedEntry | ApplicationEntry):
            continue  # of an app that is compiled in its place: nothing starts there
        if isinstance(entry, ScriptEntry) and entry.source is not None:
            yield str(entry.image_path), File(Inline(entry.source.encode()))
        if (script := script_name(command)) is not None:
            yield f"{PLACE}/{script}", _text(script_of(command, python, suffix), 0o755)


def _metadata(distribution: str, app: App) -> Iterator[str]:
    """``METADATA`` (packaging.python.org, core metadata), as far as programs ask for it."""
    yield "Metadata-Version: 2.1"
    yield f"Name: {distribution}"
    yield f"Version: {app.metadata.version}"
    if app.metadata.description:
        yield f"Summary: {app.metadata.description.splitlines()[0]}"
    for requirement in app.metadata.dependencies:
        yield f"Requires-Dist: {requirement}"


def _entry_points(app: App) -> Iterator[str]:
    """``entry_points.txt`` (packaging.python.org, entry points)."""
    for position, (group, names) in enumerate(app.metadata.entry_points):
        yield from ("",) if position else ()
        yield f"[{group}]"
        yield from (f"{name}={reference}" for name, reference in names)


def _text(lines: Iterator[str], mode: int) -> File:
    return File(Inline("".join(f"{line}\n" for line in lines).encode()), mode)
