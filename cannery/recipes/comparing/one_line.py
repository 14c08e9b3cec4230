"""One line of a program that changes, as it does between two builds of somebody who works on it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from cannery.project.app import HOME, ScriptEntry
from cannery.trees.app import app_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["change_line", "changing_module"]

_CHANGE: Final = "\n_changed_by_cannery_compare = "


def changing_module(app: App, workspace: Workspace) -> PurePosixPath | None:
    """The module of ``app`` that a line is changed in, relative to the project's folder; None where it has no code.

    It's the one that starts, which every recipe packs; where a dependency's does, the uppermost of the app's own.
    """
    code = {
        PurePosixPath(path).relative_to(HOME)
        for path in app_tree(app, workspace).code.tree.entries
        if path.endswith(".py") and path.startswith(f"{HOME}/")
    }
    starting = (path for path in _candidates(app) if path in code)
    others = sorted(code, key=lambda path: (path.name == "__init__.py", len(path.parts), path))
    return next(starting, others[0] if others else None)


def change_line(path: Path, number: int) -> None:
    """Give a constant at the end of the module ``path`` the value ``number``."""
    text = path.read_text(encoding="utf-8").partition(_CHANGE)[0]
    path.write_text(f"{text}{_CHANGE}{number}\n", encoding="utf-8")


def _candidates(app: App) -> Iterator[PurePosixPath]:
    entry = app.entry
    if isinstance(entry, ScriptEntry):
        yield entry.path
        return
    name = (entry.name if hasattr(entry, "name") else entry.module).replace(".", "/")
    for root in app.import_roots:
        yield from (PurePosixPath(root, f"{name}{end}") for end in (".py", "/__main__.py", "/__init__.py"))
