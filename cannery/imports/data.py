"""The data of packages that are reached: files beside their modules that are no modules."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from cannery.imports.data_packages import CODE
from cannery.imports.places import is_library

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from cannery.imports.model import Mentions, Module
    from cannery.imports.places import Place

__all__ = ["data_of", "opened"]

_DOCUMENTATION = {".rst", ".bat"}  # in the standard library
_MODULES = {".py", ".pyc", ".so"}
_SUFFIXES = "EXTENSION_SUFFIXES"  # of importlib.machinery
_OPENERS = {"CDLL", "LoadLibrary", "PyDLL", "dlopen"}  # of ctypes and cffi
_PLACES = ("__file__", "__path__", "origin", "submodule_search_locations")  # attributes that say where a module lies


def data_of(
    places: Collection[Place], reached: Mapping[str, Module], mentions: Mapping[str, Mentions]
) -> dict[str, str]:
    """The files that are no code in the folders of packages that are ``reached``: paths in the image -> top level.

    What is code by its ending, headers for one, counts where a module of the same top level names such files, and a
    shared library where it's no module.
    """
    owners = _Owners(reached)
    asked = _files_asked(reached, mentions)
    stubs = {f"{module.path}i" for name, module in reached.items() if mentions[name].stub}
    found: dict[str, str] = {}
    for place in places:
        for path, file in place.tree.tree.files():
            ending = posixpath.splitext(path)[1]
            if (top := owners.top_level(path, place.roots)) is None:
                continue
            if ending not in CODE:
                counts = place.kind != "stdlib" or ending not in _DOCUMENTATION
            elif ending == ".so":
                counts = place.kind != "stdlib" and is_library(path, file)
            else:
                named = {ending, posixpath.basename(path)} & asked.get(top, set())
                counts = path in stubs or (ending not in _MODULES and bool(named))
            if counts:
                found[path] = top
    return found


def opened(data: Mapping[str, str], reached: Mapping[str, Module], mentions: Mapping[str, Mentions]) -> Iterator[str]:
    """The paths of what may be opened by its path, rather than by an import or by ``importlib.resources``.

    That is the ``data`` of top-level modules that ask where they lie, or are asked by name; the app's, where anybody
    asks that of a module whose name only a run can tell, as frameworks do for templates. It's also the extension
    modules of top-level modules that put paths together with the suffixes of such, and open libraries.
    """
    others = [name for name, module in reached.items() if module.place != "stdlib"]
    asked = {attribute for name in others for attribute in mentions[name].attributes if attribute.endswith(_PLACES)}
    tops = {name.partition(".")[0] for name in (*asked, *(each for each in others if mentions[each].beside))}
    if not asked.isdisjoint(_PLACES):
        tops |= {name.partition(".")[0] for name, module in reached.items() if module.place == "app"}
    yield from (path for path, top in data.items() if top in tops)
    yield from _modules_opened({name: reached[name] for name in others}, mentions)


def _modules_opened(reached: Mapping[str, Module], mentions: Mapping[str, Mentions]) -> Iterator[str]:
    """The paths of the extension modules that are opened as libraries, as those of PyCryptodome are."""
    asked: dict[str, set[str]] = {}
    for name in reached:
        own = {attribute.rpartition(".")[2] for attribute in mentions[name].attributes}
        asked.setdefault(name.partition(".")[0], set()).update(own)
    openers = {top for top, names in asked.items() if _SUFFIXES in names and not names.isdisjoint(_OPENERS)}
    modules = ((name.partition(".")[0], module) for name, module in reached.items() if module.kind == "extension")
    return (module.path for top, module in modules if top in openers)


class _Owners:
    """The packages that files lie in, among those that are reached."""

    def __init__(self, reached: Mapping[str, Module]) -> None:
        packages = {name: module for name, module in reached.items() if module.package}
        self._folders = {
            module.path if module.kind == "namespace" else posixpath.dirname(module.path): name
            for name, module in packages.items()
        }

    def top_level(self, path: str, roots: Collection[str]) -> str | None:
        """The top level of the package that ``path`` lies in; None where that isn't reached."""
        above = posixpath.dirname(path)
        while above not in self._folders and above not in {"/", *roots}:
            above = posixpath.dirname(above)
        return self._folders[above].partition(".")[0] if above in self._folders else None


def _files_asked(reached: Mapping[str, Module], mentions: Mapping[str, Mentions]) -> dict[str, set[str]]:
    """Top-level module -> what its modules read of files that look like code: names, and endings of names."""
    asked: dict[str, set[str]] = {}
    for name in reached:
        if reads := mentions[name].reads:
            asked.setdefault(name.partition(".")[0], set()).update(reads)
    return asked
