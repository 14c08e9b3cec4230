"""From an app to what it imports: what ``invoke imports`` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.python.interpreter import interpreter_for
from cannery.tasks.report.progress import showing_progress
from cannery.trees.app import app_tree
from cannery.trees.resolve import resolve
from cannery.trees.shaken import reach_of
from cannery.trees.wheels import dependencies
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from cannery.imports.model import Reach
    from cannery.project.app import App

__all__ = ["imports_of"]


def imports_of(app: App, *, quiet: bool = False) -> Reach:
    """What ``app`` imports with its dependencies; ``quiet`` shows no progress."""
    with showing_progress(quiet=quiet) as progress:
        workspace = Workspace.default(progress)
        python = interpreter_for(app, workspace)
        wheels = None
        if app.requirements is not None:
            requirements = resolve(app.requirements, app.settings, python.target, workspace)
            wheels = dependencies(requirements, python.target, workspace)
        return reach_of(app, python, app_tree(app, workspace).code, wheels, workspace)
