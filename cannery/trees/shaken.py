"""An app shaken: the modules that it reaches, and the transforms that drop all others ("tree shaking")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from cannery.image.tree import LazyTree, Transform
from cannery.imports.analysis import reach
from cannery.imports.host import host_of
from cannery.imports.places import Place, standard_library
from cannery.project.app import FunctionEntry, ModuleEntry, ScriptEntry
from cannery.trees.data_names import data_names
from cannery.trees.own import started_with
from cannery.trees.transforms.shake import shake
from cannery.trees.transforms.stand_ins import left_out
from cannery.trees.transforms.told import told
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.imports.graph import Start
    from cannery.imports.model import Host, Reach
    from cannery.project.app import App, EntryPoint
    from cannery.python.interpreter import Interpreter
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = ["Shaken", "app_place", "reach_of", "reach_with", "reached_part", "shaken_of"]

_SHAKEN = ("stdlib", "dependencies")  # places that modules are dropped from
_REFERENCE = re.compile(r"([^\W\d][\w.]*):([^\W\d]\w*)")


def reach_of(app: App, python: Interpreter, own: AppTree, wheels: LazyTree, workspace: Workspace) -> Reach:
    """The modules that ``app`` reaches with ``python`` and its whole standard library.

    ``own`` are the app's files before anything is compiled, ``wheels`` the tree of its dependencies.
    """
    installed = Place("dependencies", wheels, (python.image_site_packages,))
    places = [app_place(app, own.code), standard_library(python), installed]
    return reach_with(app, places, host_of(python, workspace), workspace, data_names(own, workspace))


def reach_with(app: App, places: Sequence[Place], host: Host, workspace: Workspace, named: Sequence[str] = ()) -> Reach:
    """The modules that ``app`` reaches in ``places``, of which one is the app's, with the Python ``host``.

    ``named`` are names in its files of settings.
    """
    script = str(app.entry.image_path) if isinstance(app.entry, ScriptEntry) else None
    settings = app.settings
    starts = tuple(dict.fromkeys(start for entry in app.entries for start in _starts(entry, script)))
    mains = tuple(dict.fromkeys(main for entry in app.entries for main in _mains(entry, script)))
    return reach(
        places,
        starts,
        host,
        workspace,
        script=script,
        mains=mains,
        called=tuple(dict.fromkeys(_called(app))),
        include=settings.include,
        traced=app.seen.imports,
        named=named,
    )


def reached_part(tree: LazyTree, reach: Reach) -> LazyTree:
    """The modules of ``tree`` that are reached, and their data."""
    paths = reach.paths
    key = key_of("reached part", code_key(__name__), tree.key, sorted(paths))
    return LazyTree(key, lambda: tree.tree.filter(lambda path, _: path in paths))


@dataclass(frozen=True, slots=True)
class Shaken:
    """The transforms that drop modules which an app doesn't reach."""

    library: Transform
    dependencies: Transform


def shaken_of(app: App, python: Interpreter, own: AppTree, wheels: LazyTree, workspace: Workspace) -> Shaken:
    """The transforms for ``app``, which keep also the modules that read archives and unpack compressed modules.

    Modules that the configuration leaves out are dropped, or replaced by stand-ins; whoever imports one of the others
    is told which setting takes it in.
    """
    settings = app.settings
    library, site = standard_library(python), (python.image_site_packages,)
    out = left_out(settings.tiny.without, "[tool.cannery.tiny] without", python, workspace)
    left = out.transform(library)
    installed = Place("dependencies", wheels, site)
    places = [app_place(app, own.code), out.taken_from(library), installed]
    host = host_of(python, workspace)
    include = (*settings.include, *settings.stdlib, *_imports_of_payload(app, host))
    wanted = replace(app, settings=msgspec.structs.replace(settings, include=include))
    found = reach_with(wanted, places, host, workspace, data_names(own, workspace))
    names = {kind: [name for name, module in found.modules.items() if module.place == kind] for kind in _SHAKEN}
    kept = shake(names["stdlib"], library.roots, found.data)
    telling = told(set(found.left_out) - out.names.keys(), python)
    key = key_of(code_key(__name__), left.key, kept.key, telling.key)
    return Shaken(
        Transform(key, lambda tree: telling(kept(left(tree)))), shake(names["dependencies"], site, found.data)
    )


def _imports_of_payload(app: App, host: Host) -> tuple[str, ...]:
    """The modules that the image's own code needs: to read archives, and to unpack compressed modules."""
    if not app.settings.compress:
        return ("zlib",)
    from cannery.trees.transforms.compressed import imports_of_payload  # noqa: PLC0415  # slow to import

    return ("zlib", *imports_of_payload(host))


def app_place(app: App, code: LazyTree) -> Place:
    """The place of the app's own modules."""
    return Place("app", code, app.image_roots)


def _mains(entry: EntryPoint, script: str | None) -> tuple[str, ...]:
    """The module or the file that runs as ``__main__``, unless it's the ``script`` itself, or is called so anyway."""
    match entry:
        case ScriptEntry():
            return () if str(entry.image_path) == script else (str(entry.image_path),)
        case ModuleEntry(name):
            return (name,)
        case FunctionEntry():
            return ()


def _called(app: App) -> Iterator[tuple[str, str]]:
    """The modules and names of the functions that start the program, and of what servers are given: ``main:app``."""
    for entry in app.entries:
        if isinstance(entry, FunctionEntry):
            yield entry.module, entry.attribute.partition(".")[0]
    for word in started_with(app):
        if (found := _REFERENCE.match(word)) is not None:
            yield found[1], found[2]


def _starts(entry: EntryPoint, script: str | None) -> tuple[Start, ...]:
    """The modules that ``entry`` begins with, unless it's the ``script`` itself; another script is one of the app's."""
    match entry:
        case ScriptEntry():
            return () if str(entry.image_path) == script else (("runpy", "started"),)
        case ModuleEntry(name):
            return (("runpy", "started"), (name, "started"), (f"{name}.__main__", "started"))
        case FunctionEntry(module=module):
            return ((module, "started"),)
