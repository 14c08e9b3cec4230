"""The versions of Python and of the libraries below it that are in a file, by texts that each carries.

Stripped programs have these texts as well, and libraries that are linked into others. A program that is compressed
shows none of them: where it's cannery's, it has a text of its own for that, which :func:`marked` makes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Component", "ComponentSearch", "mark_in", "marked"]

_MARK: Final = "cannery components:"
_WORD: Final = r"\w+=[\w.+~:-]+(?:@[\d-]{10})?"
_MARKED: Final = re.compile(rf"{_MARK}((?: {_WORD})+)\0".encode(), re.ASCII)
_OPENSSL: Final = re.compile(rb"OpenSSL (\d+\.\d+\.\d+[a-z]?) +(\d{1,2} [A-Z][a-z]{2} 20\d\d)\0")  # opensslv.h
_SQLITE: Final = re.compile(rb"\0(20\d\d-\d\d-\d\d) \d\d:\d\d:\d\d [0-9a-f]{59,64}\w{0,5}\0")  # SQLITE_SOURCE_ID
_GLIBC: Final = re.compile(rb"GNU C Library \(([^)\0]+)\) (?:stable|development) release version (\d+\.\d+)")
_PACKAGED: Final = re.compile(r" (\S+)$")  # in "Debian GLIBC 2.36-9+deb12u10"
_MUSL: Final = re.compile(rb"\0(1\.\d\.\d+)\0")  # __libc_version
_RELEASE: Final = re.compile(rb"3\.(?<![\w.]3\.)(\d{1,2}\.\d{1,3}(?:(?:a|b|rc)\d+)?\+?)(?=\0)")  # Python's, SQLite's
_TAG: Final = re.compile(rb"cpython-3(\d{1,2})\0")  # sys.implementation.cache_tag
_SQLITE_3: Final = 22  # SQLite 3.22 is of 2018; no Python has come so far


@dataclass(frozen=True, slots=True, order=True)
class Component:
    """A program or a library that is known by name."""

    name: str  # Python, OpenSSL, SQLite, glibc, musl
    version: str
    changed: str = ""  # the day of its source, as 2026-06-09; empty where it doesn't say

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def marked(components: Iterable[Component]) -> str:
    """The text by which a program that is compressed tells of ``components``; a zero byte has to follow."""
    told = (f"{each.name}={each.version}{f'@{each.changed}' if each.changed else ''}" for each in components)
    return " ".join((_MARK, *(word for word in told if re.fullmatch(_WORD, word, re.ASCII))))


def mark_in(data: bytes) -> str:
    """The text of :func:`marked` in ``data``; empty where it has none."""
    found = _MARKED.search(data)
    return found[0].rstrip(b"\0").decode() if found else ""


class ComponentSearch:
    """A search through a file, part by part."""

    def __init__(self) -> None:
        self._marked: list[Component] = []
        self._found: list[Component] = []
        self._releases: list[str] = []
        self._tags: set[str] = set()
        self._sqlite = ""  # the day of its source

    def look(self, data: bytes) -> None:
        """Look at the next part; parts have to overlap by more than such a text is long."""
        if _MARK.encode() in data:
            self._marked += (each for found in _MARKED.finditer(data) for each in _told(found[1].decode()))
        if b"OpenSSL " in data:
            self._found += (
                Component("OpenSSL", found[1].decode(), _day(found[2].decode())) for found in _OPENSSL.finditer(data)
            )
        if b"GNU C Library (" in data:
            self._found += (
                Component("glibc", _of_glibc(found[1].decode("utf-8", "replace"), found[2].decode()))
                for found in _GLIBC.finditer(data)
            )
        if b"cpython-3" in data:
            self._tags |= {found[1].decode() for found in _TAG.finditer(data)}
        if b"musl libc (" in data:  # its loader says that of itself
            self._found += (Component("musl", found[1].decode()) for found in _MUSL.finditer(data))
        for found in _SQLITE.finditer(data):
            self._sqlite = found[1].decode()
        self._releases += (f"3.{found[1].decode()}" for found in _RELEASE.finditer(data))

    def found(self) -> tuple[Component, ...]:
        """What was found so far, by name, each once; only what the program itself tells of where it does."""
        return tuple(sorted(set(self._marked or (*self._found, *self._by_releases()))))

    def _by_releases(self) -> Iterator[Component]:
        """Python and SQLite say their versions without their names, which stand elsewhere in the file."""
        for release in self._releases:
            minor = re.split(r"\D", release)[1]
            if minor in self._tags:
                yield Component("Python", release)
            elif self._sqlite and int(minor) >= _SQLITE_3:
                yield Component("SQLite", release, self._sqlite)


def _told(text: str) -> Iterator[Component]:
    for word in text.split():
        name, _, rest = word.partition("=")
        version, _, changed = rest.partition("@")
        yield Component(name, version, changed)


def _of_glibc(builder: str, release: str) -> str:
    """The version of a distribution's package, or of the release where nobody packaged it."""
    packaged = _PACKAGED.search(builder)
    return packaged[1] if packaged else release


def _day(written: str) -> str:
    try:
        return datetime.strptime(written, "%d %b %Y").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        return ""
