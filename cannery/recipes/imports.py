"""From an app to what it imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.interpreter import interpreter_for
from cannery.trees.app import app_tree
from cannery.trees.resolve import resolve
from cannery.trees.shaken import reach_of
from cannery.trees.wheels import dependencies

if TYPE_CHECKING:
    from cannery.imports.model import Reach
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["imports_of"]


def imports_of(app: App, workspace: Workspace) -> Reach:
    """What ``app`` imports, with its dependencies."""
    python = interpreter_for(app, workspace)
    wheels = None
    if app.requirements is not None:
        requirements = resolve(app.requirements, app.settings, python.target, workspace)
        wheels = dependencies(requirements, python.target, workspace)
    return reach_of(app, python, app_tree(app, workspace).code, wheels, workspace)
