"""The recipe ``static``: one static executable that holds Python, the dependencies and the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cannery.executable.kit.toolchain import native_target, target_for, toolchain
from cannery.executable.static.packing import check_packing
from cannery.image.rootfs import MACHINE
from cannery.image.tree import LazyTree, Symlink, Tree
from cannery.recipes.common import app_code, pinned_dependencies, settled_app
from cannery.recipes.container_config import program_config
from cannery.recipes.notes import (
    notes_on,
    notes_on_code,
    notes_on_programs,
    notes_on_source_readers,
    notes_on_start_modules,
)
from cannery.recipes.plan import Plan
from cannery.recipes.program_contents import Ingredients, contents_of_executable
from cannery.recipes.provided import check_imports, provision_of
from cannery.recipes.static_program.executable import Executable, executable
from cannery.recipes.static_program.kit import for_musl, kit_for, notes_on_kit, target_of_kit
from cannery.recipes.static_program.parts import PROGRAMS
from cannery.trees.app import app_tree
from cannery.trees.fitting_wheels import Accelerators, fitting_wheels
from cannery.trees.installed import PYTHON
from cannery.trees.scripts import check_program, command_names
from cannery.trees.shaken import reached_part
from cannery.trees.small_programs import with_small_programs
from cannery.trees.system import certificates, local_zone_tree, system_tree, zones_tree
from cannery.trees.wheels import environment_data
from cannery.workspace.digest import Digest
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.platform import Platform
    from cannery.imports.model import Reach
    from cannery.project.app import App
    from cannery.recipes.plan import LazyContents
    from cannery.workspace.workspace import Workspace

_MUSL = (1, 2)  # the version that extension modules are compiled for
_ACCELERATORS: Mapping[bool | str, Accelerators] = {
    False: Accelerators.NONE,
    "auto": Accelerators.WITHOUT_A_PURE_WHEEL,
    True: Accelerators.ALL,
}

__all__ = ["Linked", "linked", "static", "system_of"]


@dataclass(frozen=True)
class Linked:
    """An executable, and all else that its image, or its program in ``dist/``, is made of."""

    app: App  # with what its dependencies decide about its start
    executable: Executable
    resources: LazyTree  # the project's files that lie beside it, and the wheels' in sys.prefix
    platform: Platform
    notes: tuple[str, ...]
    contents: LazyContents


def static(app: App, workspace: Workspace) -> Plan:
    """An image of one static executable, beside a system's small files."""
    made = linked(app, workspace)
    app = made.app
    system = with_small_programs(system_of(app, made.executable.reach, workspace), app, made.platform)
    layers = [("system", system), ("executable", made.executable.tree)]
    beside = made.resources + made.executable.beside
    lies_beside = bool(beside.tree.entries)
    layers += [("app", beside)] if lies_beside else []
    config = program_config(app, f"{PROGRAMS}/{made.executable.name}", unpacks=False, resources=lies_beside)
    return Plan(app, tuple(layers), config, made.platform, made.notes, contents=made.contents)


def linked(app: App, workspace: Workspace) -> Linked:
    """The executable of ``app`` for the platform of its settings, or for this machine's.

    Raises :class:`ToolError`, before any work, where a program that links or packs it isn't installed.
    """
    settings = app.settings
    target = target_for(settings.one_platform or native_target().platform)
    toolchain(target, workspace)
    check_packing(settings.static.packing)
    kit = kit_for(app, target.platform, workspace)
    fitting = target_of_kit(kit)
    dependencies = pinned_dependencies(app, fitting, workspace)
    grammar_of = lambda: kit.interpreter.executable  # noqa: E731
    app = settled_app(app, dependencies, fitting, workspace, grammar_of)
    check_program(app, app.name.rpartition("/")[2])
    own = app_tree(app, workspace, grammar_of=grammar_of)
    wheels = dependencies.wheels
    if dependencies.requirements is not None:
        accelerators = _ACCELERATORS[settings.static.accelerators]
        wheels = fitting_wheels(dependencies.requirements, wheels, fitting, for_musl(kit), accelerators, workspace)
    missing = check_imports(app, provision_of(own, wheels, kit.interpreter), workspace)
    code = app_code(own, app, replace(kit.interpreter, libc=("musl", _MUSL)), workspace)
    made = executable(app, kit, own, wheels, workspace, compiled=code if settings.compile else None)
    notes = (
        *notes_on_kit(app, kit),
        *notes_on(app, dependencies.requirements),
        *own.notes,
        *missing,
        *notes_on_code(own, app),
        *notes_on_programs(own, app),
        *notes_on_start_modules(made.reach.modules),
        *notes_on_source_readers(app, own, reached_part(wheels, made.reach), fitting.site_packages, workspace),
        *made.notes,
    )
    beside = own.resources + environment_data(wheels, fitting.site_packages, workspace)
    ingredients = Ingredients(f"{PROGRAMS}/{made.name}", kit.interpreter, own, wheels, dependencies.requirements)
    contents = contents_of_executable(made, kit, ingredients, workspace)
    return Linked(app, made, beside, kit.interpreter.platform, notes, contents)


def system_of(app: App, reach: Reach, workspace: Workspace) -> LazyTree:
    """The small files around the program: users, and the certificates and time zones that it can read."""
    settings = app.settings
    bundle = certificates(settings, app.folder, MACHINE) if "_ssl" in reach.modules else None
    zones = settings.timezones
    if zones == "auto":
        zones = "zoneinfo" in reach.modules and "tzdata" not in reach.modules
    digest = Digest.of_content(bundle) if bundle is not None else None
    program = app.name.rpartition("/")[2]
    names = command_names(app)
    links = Tree({PYTHON: Symlink(program), **{f"{PROGRAMS}/{name}": Symlink(program) for name in names}})
    key = key_of("static system", code_key(__name__), settings.uid, digest, app.name, names)
    tree = LazyTree(key, lambda: system_tree(settings.uid, bundle) + links)
    if zones or "zoneinfo" in reach.modules:
        tree += local_zone_tree()
    return tree + zones_tree(MACHINE, workspace.cache) if zones else tree
