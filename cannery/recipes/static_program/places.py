"""Where a static executable's modules come from: the app, the kit's standard library, the wheels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from cannery.executable.static.link import LAUNCHER
from cannery.image.content import OnDisk
from cannery.image.tree import File, LazyTree, Tree
from cannery.imports.host import host_of
from cannery.imports.places import Place, standard_library
from cannery.trees.shaken import app_place
from cannery.trees.transforms.stand_ins import left_out_with
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.executable.kit.kit import Kit
    from cannery.imports.model import Host
    from cannery.project.app import App
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = ["host_of_kit", "left_out_of", "places_of"]

# What there's something else for, so that who names it without using it still works.
_STAND_INS = {"ssl": "ssl.py"}
# What every executable holds: `python -m`, and the functions that site adds to the built-in ones.
_STARTED = ("runpy", "_sitebuiltins", "gc", "warnings", "encodings.ascii", "encodings.latin_1", "encodings.utf_8")
_NOT_STARTED = {"site", "zipimport"}


def left_out_of(app: App) -> dict[str, str]:
    """The modules that stay out, with the name that the setting has for them."""
    names = app.settings.static.without
    return {each: name for name in names for each in left_out_with(name)}


def places_of(app: App, kit: Kit, own: AppTree, wheels: LazyTree) -> list[Place]:
    """Where modules are found, in the order of ``sys.path``, less what stays out."""
    installed = Place("dependencies", wheels, (kit.interpreter.image_site_packages,))
    left_out = left_out_of(app)
    return [
        _without(place, left_out) for place in (app_place(app, own.code), standard_library(kit.interpreter), installed)
    ]


def host_of_kit(kit: Kit, left_out: Mapping[str, str], workspace: Workspace) -> Host:
    """The kit's Python as the executable has it: the modules inside it, and those that it imports by itself."""
    host = host_of(kit.interpreter, workspace)
    started = tuple(sorted({*host.started, *_STARTED} - _NOT_STARTED))
    inside = host.builtins - left_out.keys() | {"_cannery_importer"}
    return msgspec.structs.replace(host, builtins=inside, started=started)


def _without(place: Place, left_out: Mapping[str, str]) -> Place:
    """The place less what is left out; where there's a stand-in, it comes in."""
    if not left_out:
        return place
    root = place.roots[0]
    gone = [f"{each}/{name.replace('.', '/')}" for each in place.roots for name in left_out]

    def make() -> Tree:
        kept = place.tree.tree.filter(
            lambda path, _: not any(path.startswith((f"{stem}.", f"{stem}/")) for stem in gone)
        )
        stand_ins = {
            f"{root}/{file}": _on_disk(LAUNCHER / file)
            for name, file in _STAND_INS.items()
            if name in left_out and place.kind == "stdlib"
        }
        return kept + Tree(stand_ins)

    return replace(place, tree=LazyTree(key_of("without", code_key(__name__), place.tree.key, sorted(left_out)), make))


def _on_disk(path: Path) -> File:
    return File(OnDisk(path, path.stat().st_size))
