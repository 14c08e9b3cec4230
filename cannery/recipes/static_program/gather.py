"""What goes into a static executable: the modules that the app reaches, and the libraries that these load."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.executable.static.libraries import LinkedLibraries
from cannery.image.tree import LazyTree, Tree
from cannery.project.app import ScriptEntry
from cannery.recipes.static_program.called import called_names
from cannery.recipes.static_program.extensions import compiled_in, extensions_in, without_extensions
from cannery.recipes.static_program.libraries import check_libraries
from cannery.recipes.static_program.parts import ExecutableParts
from cannery.recipes.static_program.places import host_of_kit, left_out_of, places_of
from cannery.recipes.static_program.shared import shared_libraries
from cannery.recipes.static_program.snapshot import check_snapshot, starting_place
from cannery.recipes.static_program.wanted import wanted_modules
from cannery.trees.data_names import data_names
from cannery.trees.kept_sources import named_sources
from cannery.trees.shaken import reach_with, reached_part
from cannery.trees.source_readers import readers_at_import
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cannery.executable.kit.kit import Kit
    from cannery.imports.model import Reach
    from cannery.imports.places import Place
    from cannery.project.app import App
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = ["GatheredParts", "gathered_parts"]


@dataclass(frozen=True, slots=True)
class GatheredParts:
    """The input of an executable, and what came to light when it was gathered."""

    parts: ExecutableParts
    decisive: tuple[
        Any, ...
    ]  # for a key: all that decides about the executable's bytes, but for the code that makes it
    notes: tuple[str, ...]
    beside: LazyTree  # data that modules may open by its path, for the image's disk


def gathered_parts(
    app: App, kit: Kit, own: AppTree, wheels: LazyTree, compiled: LazyTree | None, workspace: Workspace
) -> GatheredParts:
    """What :func:`cannery.recipes.static_program.executable.executable` makes an executable from.

    Takes the same and raises the same.
    """
    out = left_out_of(app, kit, workspace)
    host = host_of_kit(kit, out, workspace)
    shared = cache(lambda: shared_libraries(kit, [compiled or own.code, wheels], workspace))
    reduced = without_extensions(
        places_of(app, kit, own, wheels, out),
        lambda places: reach_with(app, places, host, workspace, data_names(own, workspace)),
        lambda path: shared().problem(path),
        cache(lambda: wanted_modules(app, wheels)),
        optional=app.settings.static.accelerators is not False,
    )
    places, reach = list(reduced.places), reduced.reach
    script = str(app.entry.image_path) if isinstance(app.entry, ScriptEntry) else None
    allowed = (*app.settings.allow_missing, *map(posixpath.basename, reduced.libraries))
    notes = check_libraries(places, reach, host, workspace, allowed=allowed, script=script)
    extensions = {**extensions_in(reach), **(compiled_in(reach, compiled.tree) if compiled else {})}
    wanted = (*reduced.libraries, *extensions.values())
    called = called_names(places, reach, workspace)
    if app.settings.static.snapshot:
        check_snapshot(app, kit, wanted)
    libraries = cache(lambda: shared().linked(wanted, called) if wanted or called else LinkedLibraries({}))
    parts = ExecutableParts(app, kit, places, reach, out.names, extensions, libraries, workspace)
    return GatheredParts(
        parts,
        (*_decisive(parts), wanted, sorted(called), compiled and compiled.key),
        (*reduced.notes, *notes),
        _beside(places, reach, _kept_sources(parts, wheels)),
    )


def _decisive(parts: ExecutableParts) -> tuple[Any, ...]:
    """What decides about the bytecode and the launcher."""
    app, settings = parts.app, parts.app.settings
    return (
        parts.kit.key,
        [place.tree.key for place in parts.places],
        msgspec.to_builtins(parts.reach),
        repr((app.main, app.commands)),
        settings.optimize,
        msgspec.to_builtins(settings.static),
        app.name.rpartition("/")[2],
        repr(settings.static.snapshot and starting_place(app)),
    )


def _kept_sources(parts: ExecutableParts, wheels: LazyTree) -> tuple[str, ...]:
    """Modules whose sources are to be had where the program runs: those that settings name, and that read their own."""
    settings, site = parts.app.settings, parts.kit.interpreter.image_site_packages
    reached = reached_part(wheels, parts.reach)
    return (*settings.keep_sources, *readers_at_import(reached, site, parts.workspace, settings.drop_sources))


def _beside(places: Sequence[Place], reach: Reach, kept: Iterable[str]) -> LazyTree:
    """What lies on the image's disk as well: data that modules may open by its path, and sources that are ``kept``."""
    opened = named_sources(reach, kept).union(reach.opened)
    key = key_of("data beside", code_key(__name__), [place.tree.key for place in places], sorted(opened))
    return LazyTree(key, lambda: Tree({
        path: file for place in places for path, file in place.tree.tree.files() if path in opened
    }))  # fmt: skip
