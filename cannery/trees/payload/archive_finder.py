"""Finds modules whose bytecode lies in an archive, as if each were a file in its own folder.

It goes into images, so it's written for their Python, and imports nothing of cannery's. Unlike zipimport, which it
reads with, it says of each module that it lies where it would without the archive: so data beside it is found,
extension modules are, and modules are listed.
"""

import os
import sys
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import spec_from_file_location
from types import CodeType
from zipimport import zipimporter

HOME = os.path.dirname(__file__)
ARCHIVE = f"{HOME}/packages.zip"

_files = FileFinder.path_hook(
    (ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceFileLoader, [".py"]), (SourcelessFileLoader, [".pyc"])
)


class ArchivedLoader(SourcelessFileLoader):
    """Loads a module from the archive; its data are files."""

    def __init__(self, name: str, path: str, archive: zipimporter) -> None:
        super().__init__(name, path)
        self._archive = archive

    def get_code(self, fullname: str) -> CodeType:
        """The module's code."""
        return self._archive.get_code(fullname)


class Folder:
    """Finds modules in a folder, and in the archive's part of it (``importlib.abc.PathEntryFinder``)."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._files = _files(path) if os.path.isdir(path) else None
        self._archive = zipimporter(ARCHIVE + path[len(HOME) :])

    def find_spec(self, name: str, _target: object = None) -> ModuleSpec | None:
        """The specification of a module: of a file's before the archive's, and that before a folder's without one."""
        spec = self._files.find_spec(name) if self._files else None
        if spec is not None and spec.loader is not None:
            return spec
        found = self._archive.find_spec(name)
        if found is None or found.loader is None:
            return spec
        path = os.path.join(self._path, name.rpartition(".")[2])
        package = found.submodule_search_locations is not None
        file = f"{path}/__init__.pyc" if package else f"{path}.pyc"
        loader = ArchivedLoader(name, file, self._archive)
        return spec_from_file_location(
            name, file, loader=loader, submodule_search_locations=[path] if package else None
        )

    def invalidate_caches(self) -> None:
        """Forget what the folder had."""
        if self._files:
            self._files.invalidate_caches()

    def iter_modules(self, prefix: str = ""):  # type: ignore[no-untyped-def]  # noqa: ANN201  # as pkgutil has it
        """The modules there are, as pkgutil asks."""
        from pkgutil import iter_importer_modules  # type: ignore[attr-defined]  # noqa: PLC0415  # seldom asked

        seen = set()
        for finder in filter(None, (self._files, self._archive)):
            for name, package in iter_importer_modules(finder, prefix):
                if name not in seen:
                    seen.add(name)
                    yield name, package


def _hook(path: str) -> Folder:
    if path != HOME and not path.startswith(f"{HOME}/"):
        raise ImportError(path)
    return Folder(path)


if os.path.isfile(ARCHIVE):
    sys.path_hooks.insert(0, _hook)
    for _place in [*sys.path_importer_cache]:  # finders of files, of folders that PYTHONPATH has
        if _place == HOME or _place.startswith(f"{HOME}/"):
            del sys.path_importer_cache[_place]
