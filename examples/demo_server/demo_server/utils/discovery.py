"""Finds the modules of a package by looking, in whatever form they are: ``.py``, ``.pyc``, ``.so`` or ``.pyd``.

The import system itself is asked which modules there are, so that nothing depends on the names of files; each is
imported by its full name, so that relative imports work and no module is there twice.
"""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = ["DiscoveryError", "discover", "discover_in", "package_at"]


class DiscoveryError(ImportError):
    """A module that was found can't be imported, or a folder is no package that could be."""


def discover(package: str) -> Iterator[ModuleType]:
    """The package and every module in it and below, in the order of their names.

    Raises :class:`DiscoveryError` naming the one that fails to be imported.
    """
    module = _imported(package)
    yield module
    for found in sorted(pkgutil.iter_modules(module.__path__, f"{package}."), key=lambda info: info.name):
        if found.ispkg:
            yield from discover(found.name)
        else:
            yield _imported(found.name)


def discover_in(folder: Path) -> Iterator[ModuleType]:
    """The same for the package that lies in ``folder``."""
    return discover(package_at(folder))


def package_at(folder: Path) -> str:
    """The name that the package in ``folder`` is imported by; raises :class:`DiscoveryError` where it can't be."""
    folder = folder.resolve()
    names = [folder.name]
    top = folder
    while _is_package(top.parent):
        top = top.parent
        names.insert(0, top.name)
    if not _is_package(folder) or not any(Path(path).resolve() == top.parent for path in sys.path):
        raise DiscoveryError(f"{folder} is no package that can be imported: {top.parent} is not on sys.path")
    return ".".join(names)


def _is_package(folder: Path) -> bool:
    return any((folder / f"__init__{suffix}").is_file() for suffix in all_suffixes())


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except DiscoveryError:
        raise
    except Exception as error:
        raise DiscoveryError(f"{name} can't be imported: {type(error).__name__}: {error}", name=name) from error
