"""From an app to the modules that it imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.recipes.common import pinned_dependencies, settled_app
from cannery.trees.app import app_tree
from cannery.trees.packed_python import packed_python
from cannery.trees.shaken import reach_of

if TYPE_CHECKING:
    from cannery.imports.model import Reach
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["imports_of"]


def imports_of(app: App, workspace: Workspace) -> Reach:
    """The modules that ``app`` imports, of its own, of its dependencies and of the standard library."""
    python = packed_python(app, workspace)
    dependencies = pinned_dependencies(app, python.target, workspace)
    app = settled_app(app, dependencies, python.target, workspace)
    return reach_of(app, python, app_tree(app, workspace), dependencies.wheels, workspace)
