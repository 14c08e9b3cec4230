"""Follows strings to the modules that they may name: whole names, parts of names, groups of entry points, encodings."""

from __future__ import annotations

from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.imports.model import How, Mentions, Module

__all__ = ["NameFollower"]


class Leading(Protocol):
    """The graph, as far as names ask of it."""

    @property
    def known(self) -> Mapping[str, Module]:
        """Every module there is."""
        ...

    def add(self, importer: str, name: str, how: How) -> bool:
        """Note that ``importer`` leads to the module ``name``."""
        ...

    def ask(self, module: str, attribute: str) -> None:
        """Note that somebody asks ``module`` for ``attribute`` without its name in any source."""
        ...


class NameFollower:
    """Leads from modules to those that their strings name; some wait for what others mention, or for who is reached."""

    def __init__(self, graph: Leading, groups: Mapping[str, frozenset[tuple[str, str]]]) -> None:
        """``groups`` are the entry points: modules, and which of their attributes."""
        self._graph = graph
        self._known = graph.known
        self._groups = groups
        self._tops: set[str] = set()  # top-level modules reached so far
        self._waiting: dict[str, list[tuple[str, str]]] = {}  # top-level module -> who names what, until it's reached
        self._named: set[str] = set()  # packages that strings name
        self._loaders: list[tuple[str, str, bool]] = []  # module, what it puts after a package's name, if it lists

    def reached(self, top: str) -> None:
        """Go on with names that waited for the top-level module ``top``."""
        if top not in self._tops:
            self._tops.add(top)
            for importer, name in self._waiting.pop(top, ()):
                self._lead(importer, name)

    def follow(self, name: str, module: Module, mentions: Mentions) -> None:
        """Follow what ``module``, called ``name``, mentions."""
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
        """A string may name a module of a package that is reached, and where modules are loaded by name any other."""
        reference = text.partition(":")[0]
        if single:  # of its own package, with or without the dot; top-level modules too, but for Python's own
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
            return  # Python's own modules load no others by name; such strings are tables of old names and the like
        if module.place == "app" or top in self._tops:
            self._lead(importer, found_name)
        else:
            self._waiting.setdefault(top, []).append((importer, found_name))

    def _longest(self, reference: str) -> str | None:
        """The longest beginning of a dotted name that is a module: what follows are attributes."""
        while reference and reference not in self._known:
            reference = reference.rpartition(".")[0]
        return reference or None

    def _below(self, importer: str, prefix: str) -> None:
        """Any module that begins with ``package.prefix`` may be loaded; encodings are known by their names."""
        package = prefix.rpartition(".")[0]
        if package == "encodings" or package not in self._known:
            return
        for name in self._known:
            if name.startswith(prefix) and "." not in name[len(package) + 1 :]:
                self._lead(importer, name)

    def _lead(self, importer: str, name: str) -> None:
        """A string names the module ``name``; where that's a package, others may load what lies in it."""
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
