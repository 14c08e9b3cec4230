"""From a project to its compiled form, for other places than an image: what ``invoke cythonize`` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.image.folder import merge_tree
from cannery.project.interpreter import interpreter_for
from cannery.python.wheel import write_wheel
from cannery.recipes.packages import built_packages, compile_packages, own_packages, wheel_tag

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.image.tree import Tree
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["Cythonized", "cythonize"]


@dataclass(frozen=True, slots=True)
class Cythonized:
    """What was made, and where it lies."""

    path: Path  # a folder, or a wheel
    modules: tuple[str, ...]  # the extension modules' paths in it
    size: int  # bytes, of the extension modules

    def as_json(self) -> dict[str, Any]:
        """The result in JSON's types."""
        return {"path": str(self.path), "modules": list(self.modules), "size": self.size}


def cythonize(app: App, workspace: Workspace, output: Path, *, wheel: bool = False) -> Cythonized:
    """Write the compiled packages of ``app`` to the folder ``output``, or a wheel of the project into it."""
    python = interpreter_for(app, workspace)
    packages = built_packages(app, python, workspace) if wheel else own_packages(app, workspace)
    tree = compile_packages(packages, app, python, workspace)
    if wheel:
        return _told(write_wheel(tree, output, wheel_tag(app, python, workspace)), tree)
    merge_tree(tree, output)
    return _told(output, tree)


def _told(path: Path, tree: Tree) -> Cythonized:
    modules = {name[1:]: file.content.size for name, file in tree.files() if name.endswith(".so")}
    return Cythonized(path, tuple(modules), sum(modules.values()))
