"""What an app reaches: its code, its dependencies and the standard library looked through for imports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from cannery.image.tree import LazyTree, Transform
from cannery.imports.analysis import reach
from cannery.imports.host import host_of
from cannery.imports.places import Place
from cannery.imports.trace import traced
from cannery.project.app import HOME, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.python.stdlib import BRINGS_BACK_FOR_THE_APP, interpreter_tree
from cannery.trees.transforms.shake import shake
from cannery.trees.transforms.stand_ins import left_out
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.imports.graph import Start
    from cannery.imports.model import Host, Reach
    from cannery.project.app import App, EntryPoint
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["Shaken", "app_place", "reach_of", "reach_with", "shaken_of", "standard_library"]


_SHAKEN = ("stdlib", "dependencies")
_UNPACKING = ("lzma", "threading")  # what cannery/trees/unpacking.py imports


def reach_of(app: App, python: Interpreter, code: LazyTree, wheels: LazyTree, workspace: Workspace) -> Reach:
    """What ``app`` reaches with ``python`` and its whole standard library.

    ``code`` is the app's tree of sources, as it is before anything is compiled, ``wheels`` that of its dependencies.
    """
    installed = Place("dependencies", wheels, (python.image_site_packages,))
    places = [app_place(app, code), standard_library(python), installed]
    return reach_with(app, places, host_of(python, workspace), workspace)


def reach_with(app: App, places: Sequence[Place], host: Host, workspace: Workspace) -> Reach:
    """As :func:`reach_of`, with places and a Python of another kind; the app's place is among them."""
    script = str(HOME / app.entry.path) if isinstance(app.entry, ScriptEntry) else None
    settings = app.settings
    imports = (
        traced(settings.trace, app.folder, workspace, of=[each.tree.key for each in places]) if settings.trace else ()
    )
    return reach(places, _starts(app.entry), host, workspace, script=script, include=settings.include, traced=imports)


@dataclass(frozen=True, slots=True)
class Shaken:
    """What takes away what an app can't reach: of the standard library, and of its dependencies."""

    library: Transform
    dependencies: Transform


def shaken_of(app: App, python: Interpreter, code: LazyTree, wheels: LazyTree, workspace: Workspace) -> Shaken:
    """The transforms for ``app``, which also keep what an image's own archives and compressed modules need.

    Of the modules that the configuration leaves out there's at most what stands in their places.
    """
    settings = app.settings
    library, site = standard_library(python), (python.image_site_packages,)
    left = left_out(settings.tiny.without, "[tool.cannery.tiny] without", python, workspace).of(python)
    installed = Place("dependencies", wheels, site)
    places = [app_place(app, code), replace(library, tree=library.tree | left), installed]
    include = (*settings.include, *settings.stdlib, "zlib", *(_UNPACKING if settings.compress else ()))
    wanted = replace(app, settings=msgspec.structs.replace(settings, include=include))
    found = reach_with(wanted, places, host_of(python, workspace), workspace)
    names = {kind: [name for name, module in found.modules.items() if module.place == kind] for kind in _SHAKEN}
    kept = shake(names["stdlib"], library.roots)
    key = key_of(code_key(__name__), left.key, kept.key)
    return Shaken(Transform(key, lambda tree: kept(left(tree))), shake(names["dependencies"], site))


def app_place(app: App, code: LazyTree) -> Place:
    """Where the app's own modules are found."""
    return Place("app", code, app.image_roots)


def standard_library(python: Interpreter) -> Place:
    """All of the standard library, that which most images leave out as well."""
    tree = LazyTree(
        key_of("standard library", code_key(__name__), python.fingerprint),
        lambda: interpreter_tree(python, BRINGS_BACK_FOR_THE_APP),
    )
    return Place("stdlib", tree, (python.image_stdlib, f"{python.image_stdlib}/lib-dynload"))


def _starts(entry: EntryPoint) -> tuple[Start, ...]:
    match entry:
        case ScriptEntry():
            return ()
        case ModuleEntry(name):
            return (("runpy", "started"), (name, "started"), (f"{name}.__main__", "started"))
        case FunctionEntry(module=module):
            return ((module, "started"),)
