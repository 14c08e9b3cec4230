"""The app's modules as extension modules, where that's wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.trees.collected import HOME
from cannery.trees.cython import cython
from cannery.trees.installed import entry_files

if TYPE_CHECKING:
    from cannery.app import App, Interpreter
    from cannery.model import LazyTree
    from cannery.workspace import Workspace

__all__ = ["compiled"]


def compiled(code: LazyTree, app: App, python: Interpreter, workspace: Workspace) -> LazyTree:
    """The app's ``code``, each module compiled by Cython where the settings say so."""
    settings = app.settings
    if not settings.compile:
        return code
    return code | cython(
        python,
        workspace,
        settings.cython,
        import_roots=tuple(str(HOME / root) for root in app.import_roots),
        scripts=entry_files(app),
        keep_sources=settings.keep_sources,
    )
