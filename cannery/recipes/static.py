"""What the recipe ``static`` makes of an app: its executable, from sources, wheels and a kit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.executable.kit.toolchain import native_target, target_for, toolchain
from cannery.executable.static.packing import check_packing
from cannery.recipes.notes import notes_on
from cannery.recipes.static_program import executable, kit_for, target_of_kit
from cannery.trees.app import app_tree
from cannery.trees.pure_wheels import prefer_pure
from cannery.trees.resolve import resolve
from cannery.trees.wheels import dependencies

if TYPE_CHECKING:
    from cannery.image.platform import Platform
    from cannery.image.tree import LazyTree
    from cannery.project.app import App
    from cannery.recipes.static_program import Executable
    from cannery.workspace.workspace import Workspace

__all__ = ["Linked", "linked"]


@dataclass(frozen=True)
class Linked:
    """An executable, and what belongs to it."""

    executable: Executable
    resources: LazyTree  # the project's files that lie beside it
    platform: Platform
    notes: tuple[str, ...]


def linked(app: App, workspace: Workspace) -> Linked:
    """The executable of ``app`` for the platform of its settings, or for this machine's.

    Raises :class:`ToolError` where something that makes it isn't installed, before any work.
    """
    settings = app.settings
    if settings.compile:
        raise ConfigurationError(
            "the recipe 'static' has the app's modules as bytecode: it can't load those that Cython makes",
            step="leave compile out, or take the recipe scratch, tiny or onefile",
        )
    target = target_for(settings.platform or native_target().platform)
    toolchain(target, workspace)
    check_packing(settings.static.packing)
    kit = kit_for(app, target.platform, workspace)
    own = app_tree(app, workspace)
    requirements, wheels = None, None
    if app.requirements is not None:
        fitting = target_of_kit(kit)
        requirements = resolve(app.requirements, settings, fitting, workspace)
        wheels = prefer_pure(requirements, dependencies(requirements, fitting, workspace), fitting, workspace)
    made = executable(app, kit, own, wheels, workspace)
    return Linked(made, own.resources, kit.interpreter.platform, notes_on(app, requirements))
