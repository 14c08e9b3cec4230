"""Extension modules, which lie in the executable as shared libraries: its linker maps them from there.

This module is part of an executable that has any, and puts their finder in place.
"""

import _frozen_importlib as bootstrap
import _frozen_importlib_external as external
import atexit
import sys

import _cannery
from _cannery_importer import Finder, FolderFinder, facts

EXTENSIONS = facts["extensions"]  # name: path of its library


class ExtensionFinder:
    """On ``sys.meta_path`` before the finder of other modules: an extension module comes before a source."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        file = EXTENSIONS.get(name)
        if file is None:
            return None
        package = file.rpartition("/")[2].startswith("__init__.")
        spec = bootstrap.ModuleSpec(name, external.ExtensionFileLoader(name, file), origin=file, is_package=package)
        spec.has_location = True
        if package:
            spec.submodule_search_locations.append(file.rpartition("/")[0])
        return spec

    @staticmethod
    def invalidate_caches():
        pass


def _iter_modules(self, prefix="", others=FolderFinder.iter_modules):
    """As of all modules in a folder, and the extension modules beside them (pkgutil)."""
    yield from others(self, prefix)
    for name, file in EXTENSIONS.items():
        folder, _, base = file.rpartition("/")
        package = base.startswith("__init__.")
        if (folder.rpartition("/")[0] if package else folder) == self.folder:
            yield prefix + name.rpartition(".")[2], package


def _leave_unsettled():
    """At exit: where one was loaded, its objects may do something when they are freed, which they don't tell."""
    if not sys.modules.keys().isdisjoint(EXTENSIONS):
        atexit.unregister(_cannery.settle)


atexit.register(_leave_unsettled)  # is called before what was registered before it
FolderFinder.iter_modules = _iter_modules
sys.meta_path.insert(sys.meta_path.index(Finder), ExtensionFinder)
