"""From an app to what it imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.interpreter import interpreter_for
from cannery.recipes.common import pinned_dependencies
from cannery.trees.app import app_tree
from cannery.trees.shaken import reach_of

if TYPE_CHECKING:
    from cannery.imports.model import Reach
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["imports_of"]


def imports_of(app: App, workspace: Workspace) -> Reach:
    """What ``app`` imports, with its dependencies."""
    python = interpreter_for(app, workspace)
    wheels = pinned_dependencies(app, python.target, workspace).wheels
    return reach_of(app, python, app_tree(app, workspace).code, wheels, workspace)
