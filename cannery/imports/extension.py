"""Imports of extension modules, read from their sources in Cython's language or from the strings in them."""

from __future__ import annotations

import mmap
import re
import sys
from typing import TYPE_CHECKING

from cannery.image.content import OnDisk
from cannery.imports.cpython import WHEN_ASKED
from cannery.imports.model import Import, Mentions
from cannery.python.cython_strings import compressed_strings

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from cannery.image.content import Content

__all__ = ["names_in", "read_binary", "read_cython"]

# An import in Cython's language; "cimport", which is for the compiler, doesn't match.
_IN_CYTHON = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]*\(?([\w, \t]+)|import[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)*))",
    re.MULTILINE,
)
# A string of C, between zero bytes: a word, or the name of a module in a package
_NAME = re.compile(rb"(?<=\0)[A-Za-z_][\w.]{2,80}(?=\0)")
_API = re.compile(rb"API\0")
_CAPSULE = re.compile(rb"([A-Za-z_]\w*)[\w.]*\.\w*API\0\Z")
_LONGEST = 90  # letters of a capsule's name
_IN_PACKAGE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_WITHIN = re.compile(r"\w+_\w+")  # names that are no words, and so count within longer strings, too
_RUN_TOGETHER = re.compile(rb"[\w.]{24,}")  # names without gaps, as compressed strings have them; no prose
_TELLING = 4  # letters: shorter names are found within too many others


def read_cython(source: bytes) -> Mentions:
    """The imports of a source in Cython's language (``.pyx``)."""
    imports: list[Import] = []
    for dots, module, names, modules in _IN_CYTHON.findall(source):
        if modules:
            imports += [Import(each.strip().decode()) for each in modules.split(b",")]
        else:
            after = tuple(each.split()[0].decode() for each in names.split(b",") if each.strip())
            imports.append(Import(module.decode(), len(dots), after))
    return Mentions(tuple(imports))


def read_binary(content: Content, name: str, tops: Iterable[str], known: Container[str] = ()) -> Mentions:
    """The modules that an extension module called ``name`` may import: those that its strings name.

    They are modules of its own package, of the standard library, and of ``tops``, the top-level modules installed.
    Where strings lie end to end, names of ``known`` modules are told from what follows them.
    """
    with content.open() as stream:
        if isinstance(content, OnDisk) and content.size:
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _read_binary(data, name, tops, known)
        return _read_binary(stream.read(), name, tops, known)


def _read_binary(data: bytes | mmap.mmap, name: str, tops: Iterable[str], known: Container[str]) -> Mentions:
    words = {match.decode("ascii", "ignore") for match in set(_NAME.findall(data))}
    own = name.partition(".")[0]
    others = {top for top in tops if top in words or (_WITHIN.fullmatch(top) and data.find(top.encode()) >= 0)}
    hidden = b"\n".join(_RUN_TOGETHER.findall(compressed_strings(data)))
    within = {each for each in sys.stdlib_module_names | frozenset(tops) if len(each) >= _TELLING}
    others |= {each for each in within if each.encode() in hidden}
    asked = {attribute for imports in WHEN_ASKED.values() for each in imports for attribute in each.asked}
    others |= _capsules(data) & (sys.stdlib_module_names | frozenset(tops))
    run_on = names_in(data, [own]) | names_in(hidden, [own]) | names_in(hidden, sorted(within - {own}))
    apart = {word for word in words if _IN_PACKAGE.fullmatch(word)}
    return Mentions(
        dotted=run_on | apart | frozenset(filter(None, (_beginning(each, known) for each in run_on))),
        binary=frozenset((words & sys.stdlib_module_names) | others) - {own, "test"},
        attributes=frozenset(attribute for attribute in asked if data.find(attribute.encode()) >= 0),
    )


def _capsules(data: bytes | mmap.mmap) -> frozenset[str]:
    """The top-level modules of capsules, ``datetime.datetime_CAPI``, which are imported for them (PyCapsule_Import)."""
    before = (data[max(0, match.start() - _LONGEST) : match.end()] for match in _API.finditer(data))
    return frozenset(found[1].decode() for text in before if (found := _CAPSULE.search(text)))


def _beginning(text: str, known: Container[str]) -> str | None:
    """The longest beginning of ``text`` that is the name of a known module in a package."""
    shortest = text.find(".") + 1 or len(text)
    return next((text[:end] for end in range(len(text), shortest, -1) if text[:end] in known), None)


def names_in(data: bytes | mmap.mmap, packages: Iterable[str]) -> frozenset[str]:
    """The dotted names in a binary that begin with one of ``packages``, even where strings lie end to end."""
    tops = b"|".join(re.escape(each.encode()) for each in packages)
    pattern, beginning = re.compile(rb"(?:%s)(?:\.\w+)+" % tops), re.compile(rb"(?<!\.)(?=(?:%s)\.)" % tops)
    return frozenset(name.decode() for match in pattern.findall(data) for name in beginning.split(match) if name)
