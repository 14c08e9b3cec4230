"""From an app to its program in ``dist/``: what ``invoke freeze`` does."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from cannery.errors import MachineError
from cannery.files import explained, replacing
from cannery.model import Digest, File
from cannery.onefile.stage import write_tree
from cannery.programs import program
from cannery.report.program import ProgramReport
from cannery.report.progress import showing_progress
from cannery.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.app import App
    from cannery.model import Tree
    from cannery.programs import Form, Program

__all__ = ["freeze"]

_CHUNK = 1 << 20


def freeze(app: App, form: Form, *, quiet: bool = False) -> ProgramReport:
    """Make the program of ``app`` in that form, and write it below ``dist/``; ``quiet`` shows no progress."""
    began = time.perf_counter()
    with showing_progress(quiet=quiet) as progress:
        workspace = Workspace.default(progress)
        made = program(app, form, workspace)
        path = app.archive.parent / made.name
        digest = _written(made, path)
    size = sum(file.content.size for _, file in made.tree.tree.files())
    seconds = time.perf_counter() - began
    return ProgramReport(app, form, made.modules, made.files, made.notes, path, size, digest, seconds)


def _written(made: Program, path: Path) -> Digest:
    """Write the program to ``path`` unless it's there already; returns the digest of the executable."""
    tree = made.tree.tree
    executable = tree.entries[f"/{made.name}"]
    assert isinstance(executable, File), made.name  # noqa: S101  # it's what was made
    if made.form == "folder":
        _write_folder(tree, path)
    else:
        _write_file(executable, path)
    return Digest.of_content(executable.content)


def _write_file(file: File, path: Path) -> None:
    with replacing(path) as target, file.content.open() as source:
        shutil.copyfileobj(source, target, _CHUNK)
        os.fchmod(target.fileno(), file.mode)


def _write_folder(tree: Tree, path: Path) -> None:
    """Write beside and rename; a folder that isn't such a program's stays where it is."""
    if path.exists() and not (path / "_internal").is_dir():
        raise MachineError(f"cannot write {path}", evidence="there is something else of that name", step="remove it")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_tree(tree, beside, link=False)
            if path.exists():
                path.rename(beside / ".old")
            beside.rename(path)
            shutil.rmtree(path / ".old", ignore_errors=True)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
