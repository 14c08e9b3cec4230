"""Strings followed to modules: by whole names, parts of names, groups of entry points, encodings."""

from __future__ import annotations

from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.imports.model import How, Mentions, Module

__all__ = ["NameFollower"]


class Leading(Protocol):
    """The part of a graph that strings need."""

    @property
    def known(self) -> Mapping[str, Module]:
        """Every module there is."""
        ...

    def add(self, importer: str, name: str, how: How) -> bool:
        """Note that ``importer`` leads to the module ``name``."""
        ...

    def ask(self, module: str, attribute: str) -> None:
        """Note that some code asks ``module`` for ``attribute``, by a name that no source has."""
        ...


class NameFollower:
    """Leads from modules to those that their strings name.

    A string of a dependency counts only once the top-level module that it begins with is reached; a suffix counts for
    every package that any string names, before or afterwards.
    """

    def __init__(self, graph: Leading, groups: Mapping[str, frozenset[tuple[str, str]]]) -> None:
        """``groups`` are the entry points: modules, and which of their attributes."""
        self._graph = graph
        self._known = graph.known
        self._groups = groups
        self._tops: set[str] = set()  # top-level modules reached so far
        self._waiting: dict[str, list[tuple[str, str]]] = {}  # top-level module not reached -> importer, module named
        self._named: set[str] = set()  # packages that strings name
        self._loaders: list[tuple[str, str, bool]] = []  # loader, suffix, True if it lists the folder of that

    def reached(self, top: str) -> None:
        """Follow the names that wait for the top-level module ``top``."""
        if top not in self._tops:
            self._tops.add(top)
            for importer, name in self._waiting.pop(top, ()):
                self._lead(importer, name)

    def follow(self, name: str, module: Module, mentions: Mentions) -> None:
        """Follow the strings in the mentions of ``module``, called ``name``."""
        package = name if module.package else name.rpartition(".")[0]
        for text in sorted(mentions.dotted | mentions.words):
            for found in sorted(self._groups.get(text, ())):
                self._entry_point(name, *found)
            self._string(name, module, package, text, single=text in mentions.words)
        for text in sorted(mentions.binary):
            self._graph.add(name, text, "native")
        for after in sorted(mentions.after):
            self._loaders.append((name, after, mentions.opens))
            for called in sorted(self._named):
                self._inside(name, called, after, opens=mentions.opens)
        for each in sorted(mentions.below):
            self._below(name, f"{package}{each}" if each.startswith(".") else each)
        for codec in sorted(mentions.codecs):
            spelled = normalize_encoding(codec).lower()
            self._graph.add(name, f"encodings.{aliases.get(spelled, spelled)}", "codec")

    def _entry_point(self, importer: str, module: str, attribute: str) -> None:
        self._graph.add(importer, module, "entry point")
        self._graph.ask(module, attribute)

    def _string(self, importer: str, module: Module, package: str, text: str, *, single: bool) -> None:
        """Follow a string: a dotted name, or where modules are loaded by name a ``single`` word."""
        reference = text.partition(":")[0]
        if single:  # a module of the same package, or a top-level one that is not Python's own
            self._graph.add(importer, f"{package}.{reference.lstrip('.')}", "named")
            found = self._known.get(reference)
            if found is not None and found.place != "stdlib":
                self._graph.add(importer, reference, "named")
            return
        if reference.startswith("."):
            reference = package + reference
        found_name = self._longest(reference)
        if found_name is None or ("." not in found_name and ":" not in text):
            return
        top = found_name.partition(".")[0]
        if module.place == "stdlib" and top != importer.partition(".")[0]:
            return  # Python's own modules load no others by name: these are tables of old names and the like
        if module.place == "app" or top in self._tops:
            self._lead(importer, found_name)
        else:
            self._waiting.setdefault(top, []).append((importer, found_name))

    def _longest(self, reference: str) -> str | None:
        """The longest beginning of a dotted name that is a module; the rest are attributes."""
        while reference and reference not in self._known:
            reference = reference.rpartition(".")[0]
        return reference or None

    def _below(self, importer: str, prefix: str) -> None:
        """Lead to every module whose name is ``prefix`` and one word; encodings, which have names, are left out."""
        package = prefix.rpartition(".")[0]
        if package == "encodings" or package not in self._known:
            return
        for name in self._known:
            if name.startswith(prefix) and "." not in name[len(package) + 1 :]:
                self._lead(importer, name)

    def _lead(self, importer: str, name: str) -> None:
        """Lead to the module ``name``, and where it is a package to what loaders find in it by their suffixes."""
        self._graph.add(importer, name, "named")
        if self._known[name].package and name not in self._named:
            self._named.add(name)
            for loader, after, opens in self._loaders:
                self._inside(loader, name, after, opens=opens)

    def _inside(self, importer: str, package: str, after: str, *, opens: bool) -> None:
        name = package + after
        if name in self._known:
            self._graph.add(importer, name, "named")
        if opens or name.endswith("."):
            self._below(importer, f"{name.removesuffix('.')}.")
