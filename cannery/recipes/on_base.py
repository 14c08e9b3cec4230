"""The recipes ``slim`` and ``cython``: the dependencies and the app on top of a base, whose own Python runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cannery.errors import ConfigurationError
from cannery.python.interpreter import same_minor
from cannery.recipes.common import pinned_dependencies, settled_app
from cannery.recipes.container_config import config_on_base
from cannery.recipes.notes import notes_on, notes_on_code
from cannery.recipes.plan import Plan
from cannery.recipes.planned_contents import contents_on_base
from cannery.recipes.provided import check_imports
from cannery.trees.app import app_tree
from cannery.trees.base.ground import ground_of
from cannery.trees.cython.app import compiled_on
from cannery.trees.installed import entry_command
from cannery.trees.needs import Needs, needs_of_app, read_needs
from cannery.trees.small_programs import with_small_programs
from cannery.trees.transforms.bills_of_material import without_boms
from cannery.trees.transforms.strip import strip
from cannery.trees.unprovided import Provision

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cannery.image.tree import LazyTree
    from cannery.project.app import App
    from cannery.recipes.common import Dependencies
    from cannery.trees.app import AppTree
    from cannery.trees.base.ground import Ground
    from cannery.workspace.workspace import Workspace

__all__ = ["cython", "slim"]


def slim(app: App, workspace: Workspace) -> Plan:
    """The app's sources and its dependencies on top of a base."""
    if app.settings.compile:
        raise ConfigurationError(
            "the recipe 'slim' ships sources", step="leave compile out, or take the recipe cython, or scratch"
        )
    ground = ground_of(app, workspace)
    dependencies = pinned_dependencies(app, ground.target, workspace)
    app = settled_app(app, dependencies, ground.target, workspace, _grammar(ground, workspace))
    own = _own_files(app, ground, ".py", workspace)
    return _on_base(app, ground, dependencies, own, own.code, Needs(), ".py", workspace)


def cython(app: App, workspace: Workspace) -> Plan:
    """The app compiled, with none of its sources, and its dependencies on top of a base."""
    ground = ground_of(app, workspace)
    dependencies = pinned_dependencies(app, ground.target, workspace)
    app = settled_app(app, dependencies, ground.target, workspace, _grammar(ground, workspace))
    own = _own_files(app, ground, ".pyc", workspace)
    code = compiled_on(ground.base, ground.python, own.code, app, workspace)
    plan = _on_base(app, ground, dependencies, own, code, read_needs(code, workspace), ".pyc", workspace)
    return replace(plan, notes=(*plan.notes, *notes_on_code(own, app)))


def _own_files(app: App, ground: Ground, suffix: str, workspace: Workspace) -> AppTree:
    """The app's files, read by the grammar of the base's Python; its modules end in ``suffix``."""
    return app_tree(app, workspace, ground.python.path, suffix, _grammar(ground, workspace))


def _grammar(ground: Ground, workspace: Workspace) -> Callable[[], Path]:
    """A way to find a Python of this machine that reads sources as the base's does."""
    return lambda: same_minor(ground.python.version, workspace).executable


def _on_base(
    app: App,
    ground: Ground,
    dependencies: Dependencies,
    own: AppTree,
    code: LazyTree,
    needs: Needs,
    suffix: str,
    workspace: Workspace,
) -> Plan:
    """``code`` and the app's dependencies on top of a base; ``needs`` are the code's, its modules end in ``suffix``."""
    wheels = dependencies.wheels
    needs += needs_of_app(own.native, own.imports) + read_needs(wheels, workspace)
    ground.check(needs, app, workspace)

    layers: list[tuple[str, LazyTree]] = []
    if app.requirements is not None:
        finished = wheels | without_boms if app.settings.sbom else wheels
        finished = finished | strip if app.settings.strip else finished
        layers.append(("dependencies", finished | ground.replacing | ground.landing))
    files = with_small_programs(code + own.resources + ground.system, app, ground.base.platform)
    layers.append(("app", files | ground.landing))

    entry = entry_command(app, ground.python.path, suffix)
    config = config_on_base(app, ground.base, entry, ground.user, certificates=ground.bundle is not None)
    provision = Provision(own.code, wheels, ground.target.site_packages, ground.python.version, None)
    missing = check_imports(app, provision, workspace)
    notes = (*notes_on(app, dependencies.requirements), *own.notes, *missing)
    contents = contents_on_base(dependencies, workspace)
    return Plan(app, tuple(layers), config, ground.base.platform, notes, ground.base, contents)
