"""The recipe ``onefile``: the app frozen by PyInstaller, in an image, or by itself as a folder or a file."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from cannery.elf.closure import needs_of
from cannery.executable.onefile.bundle import bundle
from cannery.executable.onefile.python import check_python
from cannery.executable.onefile.stage import BundleParts
from cannery.executable.onefile.staticx import static
from cannery.executable.onefile.tools import find_tools
from cannery.executable.program import Program
from cannery.image.platform import machine_platform
from cannery.image.rootfs import MACHINE
from cannery.image.tree import File, LazyTree, Symlink, Transform, Tree
from cannery.imports.entry_points import metadata_read
from cannery.imports.host import host_of
from cannery.imports.places import Place, standard_library
from cannery.project.app import PLACE
from cannery.project.interpreter import check_platform, interpreter_for
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
from cannery.recipes.program_contents import Ingredients, PackedBundle, contents_of_bundle
from cannery.recipes.provided import check_imports, provision_of
from cannery.trees.app import app_tree
from cannery.trees.data_names import data_names
from cannery.trees.kept_sources import named_sources
from cannery.trees.package_database import note_on_python
from cannery.trees.runtime import libraries_of, system
from cannery.trees.scripts import check_program, command_names
from cannery.trees.shaken import app_place, reach_with, reached_part
from cannery.trees.small_programs import with_small_programs
from cannery.trees.source_readers import readers_at_import
from cannery.trees.transforms.rpath import confined
from cannery.trees.transforms.stand_ins import left_out
from cannery.trees.transforms.strip import strip
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.executable.onefile.bundle import Bundle
    from cannery.executable.program import Form
    from cannery.imports.model import Reach
    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter
    from cannery.trees.app import AppTree
    from cannery.trees.transforms.stand_ins import LeftOutModules
    from cannery.workspace.workspace import Workspace

__all__ = ["notes_on_bundle", "onefile", "program"]

_LARGE = 100 * 10**6  # bytes
# Tried with UPX 4.2.2: OpenSSL's library ends the program as soon as it's loaded, others can't be packed.
_NO_UPX = (
    "upx is set, and nothing was packed by it: on Linux, libraries that UPX has packed crash when they're loaded, so "
    "PyInstaller takes it on Windows alone; leave it out: xz packs the whole program"
)


def onefile(app: App, workspace: Workspace) -> Plan:
    """An image of one static executable, beside a system's small files."""
    check_platform(app, machine_platform())
    bundled = _program(app, "static", workspace)
    made = bundled.program
    app = made.app
    path = bundled.ingredients.program
    links = {f"{PLACE}/{name}": Symlink(made.name) for name in command_names(app)}
    executable = LazyTree(
        key_of(code_key(__name__), path, sorted(links), made.tree.key),
        lambda: Tree({path: made.tree.tree.entries[f"/{made.name}"], **links}, made.tree.tree.decisions),
    )
    files = with_small_programs(system(app, workspace, zones=made.zones), app, made.platform)
    layers = [("system", files), ("program", executable)]
    resources = bool(made.resources.tree.entries)
    layers += [("app", made.resources)] if resources else []  # for what opens them where it starts
    config = program_config(app, path, resources=resources)
    contents = contents_of_bundle(bundled.packed, bundled.ingredients, workspace)
    return Plan(app, tuple(layers), config, made.platform, made.notes, contents=contents)


class _Bundled(NamedTuple):
    """A program, and what it's made of."""

    program: Program
    packed: PackedBundle
    ingredients: Ingredients


def program(app: App, form: Form, workspace: Workspace) -> Program:
    """The program of ``app`` in the ``form``, made again only when something changes.

    Raises :class:`ToolError` where PyInstaller, staticx or a program of theirs is missing.
    """
    return _program(app, form, workspace).program


def _program(app: App, form: Form, workspace: Workspace) -> _Bundled:
    tools = find_tools(static=form == "static")
    python = interpreter_for(app, workspace)
    check_python(python, workspace)
    dependencies = pinned_dependencies(app, python.target, workspace)
    app = settled_app(app, dependencies, python.target, workspace)
    check_program(app, posixpath.basename(app.name))
    own = app_tree(app, workspace)
    missing = check_imports(app, provision_of(own, dependencies.wheels, python), workspace)
    out = left_out(app.settings.onefile.without, "[tool.cannery.onefile] without", python, workspace)
    found = _reach(app, own, dependencies.wheels, out, python, workspace)
    parts = _parts(app, own, dependencies.wheels, out, found, python, workspace)
    made = bundle(parts, _finish, python, tools, workspace, one_file=form == "file")
    tree, files, libraries = made.tree, dict(made.files), Tree()
    reached = reached_part(dependencies.wheels, found)
    if form == "static":
        libraries = _libraries(made.tree.tree, app, python)
        files.update({path: file.content.size for path, file in libraries.files()})
        packing = app.settings.onefile.packing
        note = note_on_python(python, workspace)
        whole = static(made.tree, libraries, note, parts.name, packing, python.platform, tools, workspace)
        tree = LazyTree(
            key_of("program", code_key(__name__), str(whole.digest)),
            lambda: Tree({f"/{parts.name}": File(whole, 0o755)}, made.tree.tree.decisions),
        )
    notes = (
        *notes_on(app, dependencies.requirements),
        *own.notes,
        *missing,
        *notes_on_code(own, app),
        *notes_on_programs(own, app),
        *notes_on_start_modules(made.modules),
        *notes_on_source_readers(app, own, reached, python.image_site_packages, workspace),
    )
    notes += tuple(notes_on_bundle(made, tree, form))
    if app.settings.onefile.upx:
        notes += (_NO_UPX,)
    zones = _zones(app, made)
    return _Bundled(
        Program(app, parts.name, form, tree, made.modules, files, python.platform, notes, zones, own.resources),
        PackedBundle(made.modules, made.tree, libraries, made.machine),
        Ingredients(f"{PLACE}/{parts.name}", python, own, dependencies.wheels, dependencies.requirements),
    )


# Neither changes what is loaded, so both are for every file; the executable itself stays as PyInstaller made it.
_finish = Transform(
    key_of("finished", code_key(__name__), strip.key, confined.key), lambda tree: tree | strip | confined
)


def _parts(
    app: App,
    own: AppTree,
    wheels: LazyTree,
    out: LeftOutModules,
    found: Reach,
    python: Interpreter,
    workspace: Workspace,
) -> BundleParts:
    settings = app.settings
    reached, site = reached_part(wheels, found), python.image_site_packages
    readers = readers_at_import(reached, site, workspace, settings.drop_sources)
    kept = named_sources(found, (*settings.keep_sources, *readers))
    return BundleParts(
        name=posixpath.basename(app.name),
        main=app.main,
        commands=app.commands,
        roots=app.import_roots,
        code=app_code(own, app, python, workspace),
        resources=own.resources,
        wheels=wheels,
        reached=tuple(name for name, module in found.modules.items() if module.kind not in {"builtin", "namespace"}),
        left_out=found.left_out,
        data=(*found.data, *metadata_read(wheels.tree, found.modules), *sorted(kept)),
        without=tuple(out.names),
        stand_ins=out.stand_ins,
        optimize=settings.optimize,
    )


def _reach(
    app: App, own: AppTree, wheels: LazyTree, out: LeftOutModules, python: Interpreter, workspace: Workspace
) -> Reach:
    """The modules that the app reaches, read from its sources, as extension modules hide their imports."""
    installed = Place("dependencies", wheels, (python.image_site_packages,))
    places = [app_place(app, own.code), out.taken_from(standard_library(python)), out.taken_from(installed)]
    return reach_with(app, places, host_of(python, workspace), workspace, data_names(own, workspace))


def _libraries(made: Tree, app: App, python: Interpreter) -> Tree:
    """The shared libraries that PyInstaller leaves to the system: the C library and those that come with it."""
    found = libraries_of(str(python.executable), needs_of(made), MACHINE, app.settings.allow_missing)
    have = {posixpath.basename(path) for path in made.entries}
    return Tree(
        {
            f"/{posixpath.basename(path)}": File(content)
            for path, content in found.libraries.items()
            if posixpath.basename(path) not in have
        }
    )


def _zones(app: App, made: Bundle) -> bool:
    if app.settings.timezones != "auto":
        return app.settings.timezones
    return "zoneinfo" in made.modules and "tzdata" not in made.modules


def notes_on_bundle(made: Bundle, tree: LazyTree, form: Form) -> Iterator[str]:
    """Notes on modules that a bundle lacks, and on a program that takes long to unpack; ``tree`` is the program's."""
    for name, importer in made.missing:
        yield f"nothing provides the module {name}, which {importer} imports: add it to the requirements"
    size = sum(file.content.size for _, file in tree.tree.files())
    if size > _LARGE and form != "folder":  # which has nothing to unpack
        yield (
            f"a program of {size / 1e6:.0f} MB unpacks itself at every start: images of the recipes scratch and tiny "
            "start at once, and a change of the app changes one small layer of them"
        )
