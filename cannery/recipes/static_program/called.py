"""The symbols of the program itself that code calls by ctypes or cffi: Python's C API, functions of the C library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from cannery.image.tree import File
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.imports.model import Reach
    from cannery.imports.places import Place
    from cannery.workspace.workspace import Workspace

__all__ = ["called_names"]

# The program, by the names that there are for it: pythonapi, CDLL(None), and what musl answers to with itself.
_PROGRAM = re.compile(
    rb"""\bpythonapi\b"""
    rb"""|\b(?:CDLL|PyDLL|LoadLibrary|dlopen)\(\s*(?:name\s*=\s*)?(?:None\b|\)|["']lib(?:c|m|pthread|dl|rt)\.)"""
    rb"""|\bfind_library\(\s*["'](?:c|m|pthread|dl|rt)["']"""
)
_WAYS = (b"ctypes", b"cffi")
# An attribute, the beginning of a string, a function that C declares.
_NAME = re.compile(rb"""[.'"]([A-Za-z_]\w*)|\b([A-Za-z_]\w*)\s*\(""")


def called_names(places: Sequence[Place], reach: Reach, workspace: Workspace) -> frozenset[str]:
    """The words in reached modules that open the program itself by ctypes or cffi: what they call there is among them.

    The standard library is left aside: it calls nothing.
    """
    paths = {each.path for each in reach.modules.values() if each.kind == "source" and each.place != "stdlib"}
    key = key_of("called names", code_key(__name__), [place.tree.key for place in places], sorted(paths))
    known = workspace.cache.recall("called-names", key)
    if known is None:
        names = {name for place in places if place.kind != "stdlib" for name in _names_in(place, paths)}
        known = {"names": msgspec.to_builtins(sorted(names))}
        workspace.cache.remember("called-names", key, known)
    return frozenset(known["names"])


def _names_in(place: Place, paths: set[str]) -> Iterator[str]:
    for path in sorted(paths & place.tree.tree.entries.keys()):
        entry = place.tree.tree.entries[path]
        if not isinstance(entry, File):
            continue
        with entry.content.open() as stream:
            source = stream.read()
        if any(way in source for way in _WAYS) and _PROGRAM.search(source):
            yield from ((attribute or function).decode() for attribute, function in _NAME.findall(source))
