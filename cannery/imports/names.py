"""Strings followed to modules: by whole names, parts of names, groups of entry points, encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cannery.imports.strings import codec_module

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
    every package that any string names, before or afterwards. A module of Python's own that adds one does so for those
    who ask it: multiprocessing has runpy run the program again, and nothing else.
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
        self._idle: dict[str, list[tuple[str, bool]]] = {}  # loader of Python's own -> the same, until others ask it
        self._asked: set[str] = set()  # modules that others than Python's own lead to
        self._listers: list[str] = []  # modules that list packages and load what they find
        self._joiners: dict[str, set[str]] = {}  # function that loads "package.module" -> modules that define it
        self._handed: dict[str, set[str]] = {}  # function -> words that it's given

    def reached(self, top: str) -> None:
        """Follow the names that wait for the top-level module ``top``."""
        if top not in self._tops:
            self._tops.add(top)
            for importer, name in self._waiting.pop(top, ()):
                self._lead(importer, name)

    def asked(self, name: str) -> None:
        """Note that the program, or a dependency, leads to ``name``, which may load for them what they name."""
        if name not in self._asked:
            self._asked.add(name)
            for after, opens in self._idle.pop(name, ()):
                self._load_in_packages(name, after, opens=opens)

    def follow(self, name: str, module: Module, mentions: Mentions) -> None:
        """Follow the strings in the mentions of ``module``, called ``name``."""
        package = name if module.package else name.rpartition(".")[0]
        self._follow_groups(name, mentions)
        for text in sorted(mentions.words):
            self._word(name, package, text)
        for text in sorted(mentions.dotted):
            self._string(name, module, package, text)
            if mentions.words:  # it loads modules by name, which may be relative to its own package
                self._in_package(name, package, text.partition(":")[0])
        for text in sorted(mentions.binary):
            self._graph.add(name, text, "native")
        for after in sorted(mentions.after):
            self._load_where_asked(name, module, after, opens=mentions.opens)
        if mentions.opens and not mentions.after | mentions.below:
            self._list_packages(name)
        for each in sorted(mentions.below):
            prefix = f"{package}{each}" if each.startswith(".") else each
            if module.place != "stdlib" or not prefix.startswith("encodings."):  # which have names
                self._below(name, prefix)
        for codec in sorted(mentions.codecs):
            self._graph.add(name, codec_module(codec), "codec")
        self._follow_handed(name, mentions)

    def _follow_groups(self, name: str, mentions: Mentions) -> None:
        for group in sorted(mentions.groups | (mentions.dotted & self._groups.keys())):
            for module, attribute in sorted(self._groups[group]):
                self._graph.add(name, module, "entry point")
                self._graph.ask(module, attribute)

    def _load_where_asked(self, loader: str, module: Module, after: str, *, opens: bool) -> None:
        if module.place == "stdlib" and loader not in self._asked:
            self._idle.setdefault(loader, []).append((after, opens))
        else:
            self._load_in_packages(loader, after, opens=opens)

    def _load_in_packages(self, loader: str, after: str, *, opens: bool) -> None:
        """Lead from ``loader`` to what it loads by a suffix, in packages named before and afterwards."""
        self._loaders.append((loader, after, opens))
        for called in sorted(self._named):
            self._inside(loader, called, after, opens=opens)

    def _list_packages(self, lister: str) -> None:
        """Lead from ``lister``, which lists packages that only a run can tell, to modules in those near it."""
        self._listers.append(lister)
        for called in sorted(self._named):
            self._listed(lister, called)

    def _listed(self, lister: str, package: str) -> None:
        if package.partition(".")[0] == lister.partition(".")[0]:
            self._below(lister, f"{package}.")

    def _follow_handed(self, name: str, mentions: Mentions) -> None:
        """Bring together functions that load modules from packages, and the modules' names that they are given."""
        for function in sorted(mentions.joins):
            self._joiners.setdefault(function, set()).add(name)
            for word in sorted(self._handed.get(function, ())):
                self._load_in_packages(name, f".{word}", opens=False)
        for each in sorted(mentions.handed):
            function, _, word = each.partition(":")
            if word not in self._handed.setdefault(function, set()):
                self._handed[function].add(word)
                for loader in sorted(self._joiners.get(function, ())):
                    self._load_in_packages(loader, f".{word}", opens=False)

    def _word(self, importer: str, package: str, word: str) -> None:
        """Follow a word: it's a module of the same package, or a top-level one that is not Python's own."""
        self._in_package(importer, package, word)
        found = self._known.get(word)
        if found is not None and found.place != "stdlib":
            self._lead(importer, word)

    def _in_package(self, importer: str, package: str, text: str) -> None:
        found = self._longest(f"{package}.{text.lstrip('.')}")
        if found is not None and found.startswith(f"{package}."):
            self._graph.add(importer, found, "named")

    def _string(self, importer: str, module: Module, package: str, text: str) -> None:
        """Follow a dotted name."""
        reference = text.partition(":")[0]
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
        """Lead to every module whose name is ``prefix`` and one word."""
        package = prefix.rpartition(".")[0]
        if package not in self._known:
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
            for lister in self._listers:
                self._listed(lister, name)

    def _inside(self, importer: str, package: str, after: str, *, opens: bool) -> None:
        name = package + after
        if name in self._known:
            self._graph.add(importer, name, "named")
        if opens or name.endswith("."):
            self._below(importer, f"{name.removesuffix('.')}.")
