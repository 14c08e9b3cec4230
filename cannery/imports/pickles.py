"""Modules that pickled data names: they are imported when a program loads it (``pickletools``, protocols 0 to 5)."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.image.tree import File
    from cannery.imports.model import Module
    from cannery.imports.places import Place

__all__ = ["pickled"]

_ENDINGS = (".pkl", ".pickle", ".joblib")
_GLOBAL = re.compile(rb"c([A-Za-z_][\w.]*)\n[A-Za-z_]")  # GLOBAL: module and attribute, a line each
_TEXT = re.compile(rb"\x8c([\x01-\x7f])([A-Za-z_][\w.]*)", re.DOTALL)  # SHORT_BINUNICODE: the length, then the text


def pickled(places: Iterable[Place], modules: Mapping[str, Module]) -> dict[str, tuple[str, ...]]:
    """Package -> modules that the pickles in its folder name; those of the app that lie in no package are under ""."""
    folders = {_folder(module): name for name, module in modules.items() if module.package}
    found: dict[str, set[str]] = {}
    for place in places:
        for path, file in place.tree.tree.files():
            if path.endswith(_ENDINGS) and place.kind != "stdlib":
                package = _owner(path, folders)
                if package or place.kind == "app":
                    found.setdefault(package, set()).update(each for each in _names(file) if each in modules)
    return {package: tuple(sorted(names)) for package, names in found.items()}


def _names(file: File) -> Iterator[str]:
    with file.content.open() as stream:
        data = stream.read()
    yield from (name.decode("ascii", "ignore") for name in _GLOBAL.findall(data))
    for length, text in _TEXT.findall(data):
        yield text[: length[0]].decode("ascii", "ignore")


def _folder(module: Module) -> str:
    return module.path if module.kind == "namespace" else posixpath.dirname(module.path)


def _owner(path: str, folders: Mapping[str, str]) -> str:
    folder = posixpath.dirname(path)
    while folder not in folders and folder != "/":
        folder = posixpath.dirname(folder)
    return folders.get(folder, "")
