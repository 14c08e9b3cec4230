"""The places that a static executable's modules come from: the app, the kit's standard library, the wheels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from cannery.image.content import Inline
from cannery.image.tree import File, Transform, Tree
from cannery.imports.host import host_of
from cannery.imports.places import Place, standard_library
from cannery.trees.shaken import app_place
from cannery.trees.transforms.stand_ins import left_out
from cannery.workspace.keys import code_key, key_of, package_file

if TYPE_CHECKING:
    from cannery.executable.kit.kit import Kit
    from cannery.image.tree import LazyTree
    from cannery.imports.model import Host
    from cannery.project.app import App
    from cannery.trees.app import AppTree
    from cannery.trees.transforms.stand_ins import LeftOutModules
    from cannery.workspace.workspace import Workspace

__all__ = ["host_of_kit", "left_out_of", "places_of"]

# What every executable holds: `python -m`, and the functions that site adds to the built-in ones.
_STARTED = ("runpy", "_sitebuiltins", "gc", "warnings", "encodings.ascii", "encodings.latin_1", "encodings.utf_8")
_NOT_STARTED = {"site", "zipimport"}
_FIND_LIBRARY: Final = package_file("executable/static/launcher/find_library.py")


def left_out_of(app: App, kit: Kit, workspace: Workspace) -> LeftOutModules:
    """The modules that stay out, and the stand-ins for some of them."""
    return left_out(app.settings.static.without, "[tool.cannery.static] without", kit.interpreter, workspace)


def places_of(app: App, kit: Kit, own: AppTree, wheels: LazyTree, out: LeftOutModules) -> list[Place]:
    """The places of modules in the order of ``sys.path``, without the modules that stay ``out``."""
    installed = Place("dependencies", wheels, (kit.interpreter.image_site_packages,))
    library = _that_finds_itself(standard_library(kit.interpreter))
    return [*map(out.taken_from, (app_place(app, own.code), library, installed))]


def _that_finds_itself(library: Place) -> Place:
    """The standard ``library`` whose ``find_library`` knows that the program is the C library."""
    path = f"{library.roots[0]}/ctypes/util.py"
    added = _FIND_LIBRARY.read_bytes()

    def apply(tree: Tree) -> Tree:
        found = tree.entries.get(path)
        if not isinstance(found, File):
            return tree
        with found.content.open() as stream:
            return Tree({**tree.entries, path: File(Inline(stream.read() + b"\n\n" + added))})

    transform = Transform(key_of("find library", code_key(__name__), path, added.decode()), apply)
    return replace(library, tree=library.tree | transform)


def host_of_kit(kit: Kit, out: LeftOutModules, workspace: Workspace) -> Host:
    """The kit's Python as the executable has it: the modules inside it, and those that it imports by itself."""
    host = host_of(kit.interpreter, workspace)
    started = tuple(sorted({*host.started, *_STARTED} - _NOT_STARTED))
    inside = host.builtins - out.names.keys() | {"_cannery_importer"}
    return msgspec.structs.replace(host, builtins=inside, started=started)
