"""CAN1xx: remains of the app's source."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import TYPE_CHECKING

from cannery.audit.finding import Finding, Rule, Severity
from cannery.audit.scan import BYTECODE, SOURCES, STUBS, extension_name, is_source_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.contents import ImageContents, PlacedNode

__all__ = ["RULES", "check"]

_COMPILE = "build it with  [tool.cannery]  compile = true"
SOURCE = Rule("CAN101", Severity.CRITICAL, "source of the app", _COMPILE)
BYTES = Rule("CAN102", Severity.HIGH, "bytecode of the app, which tools turn back into source", _COMPILE)
GENERATED = Rule(
    "CAN103", Severity.CRITICAL, "C source of the app", "leave it out: only the extension module made from it is needed"
)
NAMED = Rule("CAN104", Severity.MEDIUM, "metadata that names the app's sources", "leave SOURCES.txt and RECORD out")
DEBUG = Rule("CAN105", Severity.MEDIUM, "debugging information in the app's code", "set  [tool.cannery]  strip = true")
LINES = Rule("CAN106", Severity.HIGH, "lines of source inside compiled code", "compile without the source embedded")
PACKED = Rule("CAN107", Severity.CRITICAL, "source of the app in an archive", "leave the archive out, or pack bytecode")
OTHERS = Rule("CAN108", Severity.INFO, "source of a dependency", 'nothing, or build with recipe = "scratch"')
CARRIED = Rule(
    "CAN109",
    Severity.MEDIUM,
    "a program that carries modules, which tools take out of it",
    f"{_COMPILE}, and allow this",
)
READABLE = Rule(
    "CAN110", Severity.INFO, "names, docstrings and literals can be read in compiled modules", "see --readable"
)
TWICE = Rule("CAN111", Severity.MEDIUM, "a module that is there twice", "remove the one that no import loads")
LIFELESS = Rule(
    "CAN112", Severity.HIGH, "an extension module without its PyInit_ function", "give the file the module's name back"
)
STARTER = Rule("CAN113", Severity.INFO, "a module that defines nothing: it starts the app, or is empty", "nothing")
STUB = Rule(
    "CAN114",
    Severity.HIGH,
    "a stub of the app, with its names, types and docstrings",
    "leave it out: no import reads it",
)
MAP = Rule(
    "CAN115", Severity.MEDIUM, "a source map with the sources in it", "build the front end without sourcesContent"
)
RULES = (
    SOURCE,
    BYTES,
    GENERATED,
    NAMED,
    DEBUG,
    LINES,
    PACKED,
    OTHERS,
    CARRIED,
    READABLE,
    TWICE,
    LIFELESS,
    STARTER,
    STUB,
    MAP,
)

_C = (".c", ".cc", ".cpp", ".cxx")
_PACKAGE = re.compile(r".*/(?:site|dist)-packages/([^/]+)|(.*/lib/python3[^/]*)/")


def check(contents: ImageContents) -> Iterator[Finding]:
    """Remains of the app's source, file by file; dependencies' sources are counted, by package and layer."""
    others: Counter[tuple[str, int]] = Counter()
    for place in contents.files():
        if contents.own(place.node.path):
            yield from _own(place)
        elif place.node.path.endswith("/direct_url.json") and place.node.facts.named_sources:
            yield _finding(NAMED, f"it was installed from {_few(place.node.facts.named_sources)}", place)
        elif place.node.path.endswith(SOURCES):
            others[_package(place.node.path), place.layer] += 1
    for (package, layer), count in sorted(others.items()):
        yield Finding(OTHERS, f"{count} files of source", package, layer)
    yield from _twice(contents)


def _own(place: PlacedNode) -> Iterator[Finding]:
    path, facts = place.node.path, place.node.facts
    if facts.starts_only:
        yield _finding(STARTER, "it imports names and calls them at most", place)
    elif is_source_name(path):
        yield _finding(SOURCE, f"{place.node.size:,} bytes", place)
    elif path.endswith(BYTECODE):
        yield _finding(BYTES, "names, literals and logic can be had back from it", place)
    if path.endswith(_C):
        yield _finding(GENERATED, "what Cython generates has the Python source in its comments", place)
    elif path.endswith(STUBS):
        yield _finding(STUB, f"{place.node.size:,} bytes", place)
    if facts.named_sources:
        yield _finding(NAMED, f"names {_few(facts.named_sources)}", place)
    if facts.packed_sources:
        yield _finding(PACKED, f"has {_few(facts.packed_sources)}", place)
    if facts.maps_sources:
        yield _finding(MAP, f"{place.node.size:,} bytes", place)
    if facts.source_lines:
        yield _finding(LINES, f"as {facts.source_lines[0]!r}", place)
    yield from _compiled(place)


def _compiled(place: PlacedNode) -> Iterator[Finding]:
    elf = place.node.facts.elf
    if elf is None:
        return
    if elf.debug and not elf.carries:  # in a program that carries an archive they are the bootloader's
        yield _finding(DEBUG, f"sections {_few(elf.debug)}", place)
    if elf.carries:
        yield _finding(CARRIED, f"{elf.carries}; what is in it was not looked at", place)
    module = extension_name(place.node.path)
    initializes = place.node.facts.initializes
    if module and module not in initializes:
        yield _finding(LIFELESS, f"importing it fails: it has no PyInit_{module}", place)
    elif initializes:
        yield _finding(READABLE, "compiled, which is no encryption", place)


def _twice(contents: ImageContents) -> Iterator[Finding]:
    """Modules of the app that are there as an extension module and as source or bytecode."""
    paths = {path for path, place in contents.visible.items() if place.node.kind == "file" and contents.own(path)}
    for path in sorted(paths):
        module = extension_name(path)
        for suffix in (".py", ".pyc") if module else ():
            folder, name = posixpath.split(path)
            other = posixpath.join(folder, name.partition(".")[0] + suffix)
            if other in paths:
                yield _finding(TWICE, f"{posixpath.basename(path)} is loaded in its place", contents.visible[other])


def _finding(rule: Rule, message: str, place: PlacedNode) -> Finding:
    return Finding(rule, message, place.node.path, place.layer, place.hidden)


def _package(path: str) -> str:
    """The package, standard library or folder that ``path`` belongs to."""
    match = _PACKAGE.match(path)
    return (match[2] or match[0]) if match else posixpath.dirname(path)


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown  # noqa: PLR2004
