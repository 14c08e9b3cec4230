"""Recipes: which trees become an image's layers, in which order, with which configuration.

Layers go from what changes rarely to what changes often, so that a change of the app repacks the app alone. A recipe
imports what it alone needs when it's followed: a build where nothing has changed takes little longer than its imports.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from cannery.errors import ConfigurationError, did_you_mean
from cannery.image.platform import machine_platform
from cannery.image.tree import LazyTree, Tree
from cannery.project.interpreter import check_platform, interpreter_for
from cannery.python.stdlib import python_path
from cannery.recipes.container_config import config_on_base, container_config, program_config
from cannery.recipes.notes import notes_on
from cannery.recipes.notes_on_code import notes_on_code
from cannery.recipes.plan import Plan
from cannery.trees.app import app_tree
from cannery.trees.cython.app import compiled, compiled_on
from cannery.trees.installed import entry_command
from cannery.trees.resolve import resolve
from cannery.trees.runtime import Needs, needs_from, needs_of_app, packs_relocations, runtime, system
from cannery.trees.transforms.bytecode import bytecode
from cannery.trees.transforms.strip import strip
from cannery.trees.wheels import dependencies
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.tree import Transform
    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter
    from cannery.trees.app import AppTree
    from cannery.trees.base.ground import Ground
    from cannery.workspace.workspace import Workspace

__all__ = ["RECIPES", "Recipe", "cython", "onefile", "recipe_named", "scratch", "slim", "static", "tiny"]


class Recipe(Protocol):
    """A way from an app to an image."""

    def __call__(self, app: App, workspace: Workspace) -> Plan:
        """Plan the image of ``app``."""
        ...


def scratch(app: App, workspace: Workspace) -> Plan:
    """An image with no base: the interpreter, the dependencies, the app."""
    settings = app.settings
    python = interpreter_for(app, workspace)
    check_platform(app, python.platform)
    bytes_of, checked = _bytecode(app, python, workspace)

    def finished(tree: LazyTree) -> LazyTree:
        return tree | strip if settings.strip else tree

    own = app_tree(app, workspace)
    code = compiled(own.code, app, python, workspace)
    needs = needs_of_app(own.native, own.imports)
    needs += needs_from(code, workspace) if settings.compile else Needs()
    layers: list[tuple[str, LazyTree]] = []
    requirements = None
    if app.requirements is not None:
        requirements = resolve(app.requirements, settings, python.target, workspace)
        wheels = dependencies(requirements, python.target, workspace)
        needs += needs_from(wheels, workspace)
        layers.append(("dependencies", finished(wheels | bytes_of)))
    layers.insert(0, ("runtime", runtime(app, python, needs, workspace) | strip | bytes_of))
    layers.append(("app", finished((code | checked) + own.resources)))
    notes = (*notes_on(app, requirements), *notes_on_code(own, app))
    if settings.base is not None:
        notes += ("the recipe 'scratch' needs no base: --recipe slim takes the one that is set",)
    return Plan(tuple(layers), container_config(app, python_path(python)), python.platform, notes)


def tiny(app: App, workspace: Workspace) -> Plan:
    """As scratch, with no module that nothing imports, no symbols, and bytecode in archives."""
    from cannery.trees.certificates import is_trusting  # noqa: PLC0415
    from cannery.trees.shaken import shaken_of  # noqa: PLC0415
    from cannery.trees.transforms.compact import Surroundings, compact, raisers_in  # noqa: PLC0415
    from cannery.trees.transforms.packed import LIBRARY_LOADER, PackedPart, packed  # noqa: PLC0415
    from cannery.trees.transforms.zipped import with_finder, zipped_dependencies, zipped_library  # noqa: PLC0415

    settings = app.settings
    python = interpreter_for(app, workspace)
    check_platform(app, python.platform)
    bytes_of, checked = _bytecode(app, python, workspace, columns=False)
    own = app_tree(app, workspace)
    code = compiled(own.code, app, python, workspace)
    requirements = resolve(app.requirements, settings, python.target, workspace) if app.requirements else None
    wheels = dependencies(requirements, python.target, workspace) if requirements else None
    needed = shaken_of(app, python, own.code, wheels, workspace)
    needs = needs_of_app(own.native, own.imports)
    needs += needs_from(code, workspace) if settings.compile else Needs()
    if wheels is not None:
        wheels = wheels | needed.dependencies | strip
        needs += needs_from(wheels, workspace)
    others = [tree for tree in (wheels, code, own.resources) if tree is not None]
    around = Surroundings(packs_relocations(python, workspace), raisers_in(others, workspace))
    smaller = compact(around, workspace)
    site = python.image_site_packages
    layers: list[tuple[str, LazyTree]] = []
    if wheels is not None:
        wheels = wheels | smaller
        wheels = wheels | packed(PackedPart(site, (site,)), workspace) if settings.compress else wheels
        layers.append(("dependencies", wheels | with_finder(python) | zipped_dependencies(python, bytes_of)))
    trusting = is_trusting(others, workspace)
    library = runtime(app, python, needs, workspace, shaken=needed.library, trusting=trusting) | strip
    library = library | compact(replace(around, program=python_path(python)), workspace)
    if settings.compress:
        others_need = frozenset((*settings.libraries, *(need.soname for need in needs.libraries)))
        roots = (f"{python.image_stdlib}/lib-dynload", python.image_stdlib)
        part = PackedPart(site, roots, LIBRARY_LOADER, python_path(python), others_need)
        library = library | packed(part, workspace)
    layers.insert(0, ("runtime", library | bytes_of | zipped_library(python)))
    layers.append(("app", ((code | checked) + own.resources) | strip | smaller))
    notes = (*notes_on(app, requirements), *notes_on_code(own, app))
    return Plan(tuple(layers), container_config(app, python_path(python)), python.platform, notes)


def slim(app: App, workspace: Workspace) -> Plan:
    """The app's sources and its dependencies on top of a base, whose own Python runs them."""
    from cannery.trees.base.ground import ground_of  # noqa: PLC0415

    if app.settings.compile:
        raise ConfigurationError(
            "the recipe 'slim' ships sources", step="leave compile out, or take the recipe cython, or scratch"
        )
    ground = ground_of(app, workspace)
    own = app_tree(app, workspace, ground.python.path)
    return _on_base(app, ground, own, own.code, Needs(), ".py", workspace)


def cython(app: App, workspace: Workspace) -> Plan:
    """The app compiled, with no source of it, on top of a base; its dependencies are as they come."""
    from cannery.trees.base.ground import ground_of  # noqa: PLC0415

    ground = ground_of(app, workspace)
    own = app_tree(app, workspace, ground.python.path)
    code = compiled_on(ground.base, ground.python, own.code, app, workspace)
    plan = _on_base(app, ground, own, code, needs_from(code, workspace), ".pyc", workspace)
    return replace(plan, notes=(*plan.notes, *notes_on_code(own, app)))


def _on_base(
    app: App, ground: Ground, own: AppTree, code: LazyTree, needs: Needs, suffix: str, workspace: Workspace
) -> Plan:
    """``code`` and the app's dependencies on top of a base; the code's own ``needs``, and its modules' ``suffix``."""
    settings = app.settings
    needs += needs_of_app(own.native, own.imports)
    layers: list[tuple[str, LazyTree]] = []
    requirements = None
    if app.requirements is not None:
        requirements = resolve(app.requirements, settings, ground.target, workspace)
        wheels = dependencies(requirements, ground.target, workspace)
        needs += needs_from(wheels, workspace)
        stripped = wheels | strip if settings.strip else wheels
        layers.append(("dependencies", stripped | ground.replacing | ground.landing))
    ground.check(needs, app, workspace)
    layers.append(("app", (code + own.resources + ground.system) | ground.landing))
    entry = entry_command(app, ground.python.path, suffix)
    config = config_on_base(app, ground.base, entry, ground.user, certificates=ground.bundle is not None)
    return Plan(tuple(layers), config, ground.base.platform, notes_on(app, requirements), ground.base)


def onefile(app: App, workspace: Workspace) -> Plan:
    """An image with no base and one file that matters: a static executable, beside a system's small files."""
    from cannery.recipes.onefile import program  # noqa: PLC0415

    check_platform(app, machine_platform())
    made = program(app, "static", workspace)
    path = f"/usr/local/bin/{made.name}"
    executable = LazyTree(
        key_of(code_key(__name__), path, made.tree.key), lambda: Tree({path: made.tree.tree.entries[f"/{made.name}"]})
    )
    layers = (("system", system(app, zones=made.zones)), ("program", executable))
    return Plan(layers, program_config(app, path), made.platform, made.notes)


def static(app: App, workspace: Workspace) -> Plan:
    """One static executable that holds Python, the dependencies and the app, beside a system's small files."""
    from cannery.recipes.static import linked  # noqa: PLC0415
    from cannery.recipes.static_program import PROGRAMS, system_of  # noqa: PLC0415

    made = linked(app, workspace)
    layers = [("system", system_of(app, made.executable.reach)), ("executable", made.executable.tree)]
    layers += [("app", made.resources)] if app.settings.resources else []
    config = program_config(app, f"{PROGRAMS}/{made.executable.name}", unpacks=False)
    return Plan(tuple(layers), config, made.platform, made.notes)


def _bytecode(
    app: App, python: Interpreter, workspace: Workspace, *, columns: bool = True
) -> tuple[Transform, Transform]:
    """How others' modules become bytecode, and how the app's own do, all of which must be Python."""
    settings = app.settings
    compile_with = partial(
        bytecode,
        python,
        workspace,
        optimize=settings.optimize,
        keep_sources=settings.keep_sources,
        import_roots=app.image_roots,
        columns=columns,
    )
    return compile_with(), compile_with(strict=True)


RECIPES: Mapping[str, Recipe] = {
    "slim": slim,
    "cython": cython,
    "scratch": scratch,
    "tiny": tiny,
    "onefile": onefile,
    "static": static,
}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name; raises :class:`ConfigurationError` when there is none."""
    if name not in RECIPES:
        raise ConfigurationError(
            f"there is no recipe {name!r}",
            evidence=did_you_mean(name, RECIPES),
            step=f"recipes are: {', '.join(RECIPES)}",
        )
    return RECIPES[name]
