"""Imports of an app's own modules that nothing provides: no module of its own, no dependency, not Python itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import astuple

from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree
    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["ImportFindings", "Provision", "Unprovided", "import_findings"]


class Unprovided(msgspec.Struct, frozen=True):
    """An import that fails."""

    module: str  # that is missing
    path: str  # of the source that imports it, relative to the project
    line: int  # 0 where it isn't known
    needed: bool  # the program imports that source, and can't without the missing module


@dataclass(frozen=True)
class Provision:
    """All that an app can import."""

    code: LazyTree  # the app's own, before anything is compiled
    wheels: LazyTree
    site_packages: str  # the folder in the image that the wheels lie in
    version: tuple[int, ...]  # of the Python that runs the app
    python: Interpreter | None  # that Python; None for a base's, of which no more is known than its version


class ImportFindings(msgspec.Struct, frozen=True):
    """What is wrong with names of modules."""

    unprovided: tuple[Unprovided, ...]
    unknown: tuple[tuple[str, str], ...]  # names in settings that are those of no module, each with what may be meant


def import_findings(app: App, provision: Provision, workspace: Workspace) -> ImportFindings:
    """The imports of the app's modules that nothing provides and nothing guards, and the settings that name no module.

    Imports in conditions that don't hold on the app's Python, and for type checkers, are not among them. It's all
    remembered until something changes.
    """
    settings = app.settings
    asked = (provision.code.key, provision.wheels.key, provision.site_packages, provision.version, app.image_roots)
    named = (repr((app.main, app.commands)), settings.args, settings.env, settings.keep_sources, settings.include)
    python = provision.python and provision.python.fingerprint
    key = key_of("unprovided", code_key(__name__), asked, named, python)
    known = workspace.cache.recall("unprovided", key)
    if known is None:
        from cannery.trees.import_search import ImportSearch  # noqa: PLC0415  # slow, where nothing has changed

        search = ImportSearch(app, provision, workspace)
        unknown = [*search.unknown((*settings.keep_sources, *settings.include))]
        known = {"unprovided": [astuple(each) for each in search.found()], "unknown": unknown}
        workspace.cache.remember("unprovided", key, known)
    found = tuple(Unprovided(*each) for each in known["unprovided"])
    return ImportFindings(found, tuple((name, hint) for name, hint in known["unknown"]))
