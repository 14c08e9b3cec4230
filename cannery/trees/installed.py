"""The files that installing the project would add to it: metadata, and a console script."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cannery.image.content import Inline
from cannery.image.tree import File
from cannery.project.app import HOME, App, FunctionEntry, ModuleEntry, ScriptEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PYTHON", "entry_command", "entry_files", "installed_files"]

PYTHON = "/usr/local/bin/python3"  # where images from scratch have it

_SCRIPTS = PurePosixPath("/usr/local/bin")


def entry_command(app: App, python: str, suffix: str = ".pyc") -> tuple[str, ...]:
    """The image's entry point in exec form, for the interpreter ``python`` and modules that end in ``suffix``."""
    match app.entry:
        case ScriptEntry(path):
            return (python, f"{HOME}/{path.with_suffix(suffix)}")
        case ModuleEntry(name):
            return (python, "-m", name)
        case FunctionEntry(script):
            return (f"{_SCRIPTS}/{script}",)


def entry_files(app: App) -> frozenset[str]:
    """The paths in the image that the module may have that Python runs as a script, while it's a source."""
    match app.entry:
        case ScriptEntry(path):
            return frozenset({f"{HOME}/{path}"})
        case ModuleEntry(name):
            return frozenset(f"{root}/{name.replace('.', '/')}.py" for root in app.image_roots)
        case FunctionEntry():
            return frozenset()


def installed_files(app: App, python: str) -> Iterator[tuple[str, File]]:
    """The files that an installation for ``python`` adds to the project, with their paths in the image."""
    if app.distribution and app.metadata.version:
        name = app.distribution.replace("-", "_")
        folder = PurePosixPath(HOME, app.import_roots[0], f"{name}-{app.metadata.version}.dist-info")
        yield f"{folder}/METADATA", _text(_metadata(app.distribution, app), 0o644)
        if app.metadata.entry_points:
            yield f"{folder}/entry_points.txt", _text(_entry_points(app), 0o644)
    if isinstance(app.entry, FunctionEntry):
        yield f"{_SCRIPTS}/{app.entry.script}", _text(_script(app.entry, python), 0o755)


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


def _script(entry: FunctionEntry, python: str) -> Iterator[str]:
    yield f"#!{python}"
    yield "import sys"
    yield ""
    yield f"from {entry.module} import {entry.attribute.partition('.')[0]}"
    yield ""
    yield 'if __name__ == "__main__":'  # a worker that multiprocessing spawns reads the script, too
    yield f"    sys.exit({entry.attribute}())"


def _text(lines: Iterator[str], mode: int) -> File:
    return File(Inline("".join(f"{line}\n" for line in lines).encode()), mode)
