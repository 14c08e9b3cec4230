"""The recipe ``scratch``: the interpreter, the dependencies and the app, with no base below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.python.stdlib import python_path
from cannery.recipes.common import (
    app_code,
    bytecode_transforms,
    needs_of_code,
    pinned_dependencies,
    settled_app,
)
from cannery.recipes.container_config import container_config
from cannery.recipes.notes import notes_on, notes_on_callers, notes_on_code, notes_on_module_readers, notes_on_programs
from cannery.recipes.plan import Plan
from cannery.recipes.planned_contents import contents_with
from cannery.recipes.provided import check_imports, provision_of
from cannery.trees.app import app_tree
from cannery.trees.needs import read_needs
from cannery.trees.packed_python import packed_python
from cannery.trees.runtime import runtime, with_opened
from cannery.trees.small_programs import with_small_programs
from cannery.trees.source_readers import caller_readers, module_readers, source_readers
from cannery.trees.transforms.bills_of_material import without_boms
from cannery.trees.transforms.collecting import seldom_collecting
from cannery.trees.transforms.rpath import without_absolute
from cannery.trees.transforms.strip import strip

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["scratch"]


def scratch(app: App, workspace: Workspace) -> Plan:
    """An image with no base: the interpreter, the dependencies, the app."""
    python = packed_python(app, workspace)

    def finished(tree: LazyTree) -> LazyTree:
        return tree | strip if app.settings.strip else tree

    dependencies = pinned_dependencies(app, python.target, workspace)
    app = settled_app(app, dependencies, python.target, workspace)
    own = app_tree(app, workspace)
    code = app_code(own, app, python, workspace)
    readers = source_readers(dependencies.wheels, python.image_site_packages, workspace, app.settings.drop_sources)
    bytecode = bytecode_transforms(app, python, workspace, readers=tuple(readers))
    needs = needs_of_code(own, code, app, workspace) + read_needs(dependencies.wheels, workspace)
    needs = with_opened(needs, python, workspace)

    library = runtime(app, python, needs, workspace) | seldom_collecting(python)
    layers = [("runtime", library | without_absolute | strip | bytecode.library)]
    if app.requirements is not None:
        wheels = dependencies.wheels | without_boms if app.settings.sbom else dependencies.wheels
        layers.append(("dependencies", finished(wheels | bytecode.others)))
    layers.append(("app", with_small_programs(finished((code | bytecode.own) + own.resources), app, python.platform)))

    missing = check_imports(app, provision_of(own, dependencies.wheels, python), workspace)
    notes = (
        *notes_on(app, dependencies.requirements),
        *own.notes,
        *missing,
        *notes_on_code(own, app),
        *notes_on_module_readers(app, module_readers(dependencies.wheels, python.image_site_packages, workspace)),
        *notes_on_callers(own, app, caller_readers(dependencies.wheels, python.image_site_packages, workspace)),
        *notes_on_programs(own, app),
    )
    if app.settings.base is not None:
        notes += ("the recipe 'scratch' needs no base: --recipe slim takes the one that is set",)
    contents = contents_with(python, dependencies, workspace)
    return Plan(
        app, tuple(layers), container_config(app, python_path(python)), python.platform, notes, contents=contents
    )
