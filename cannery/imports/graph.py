"""Follows what each module mentions to the modules that it means, until nothing new is reached."""

from __future__ import annotations

import fnmatch
from collections import deque
from dataclasses import dataclass, field
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import TYPE_CHECKING, Protocol

import msgspec

from cannery.imports.extension import IN_METHODS, NEVER_RUN, OF_THE_INTERPRETER, WHEN_ASKED
from cannery.imports.model import Import, Mentions, Missing, Module, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cannery.imports.model import How
    from cannery.imports.trace import Traced

__all__ = ["Graph", "Start", "walk"]

Start = tuple[str, "How"]  # the name of a module, and why the program begins there


class MentionReader(Protocol):
    """Says what a module mentions."""

    def __call__(self, name: str, module: Module) -> Mentions:
        """What ``module``, called ``name``, mentions."""
        ...


@dataclass(frozen=True, slots=True)
class _Edge:
    """One module leads to another."""

    target: str
    how: How
    needed: bool = False  # where the target can't be imported, its importer can't be either


@dataclass
class Graph:
    """What leads where, and what is nowhere to be found."""

    known: Mapping[str, Module]
    read: MentionReader
    groups: Mapping[str, frozenset[tuple[str, str]]]  # modules behind entry points, and which of their attributes
    holding_data: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # packages of nothing else, by their package
    traced: Traced = ()
    unspeakable: dict[str, list[str]] = field(init=False)  # modules that no statement can import, by their package
    edges: dict[str, dict[str, _Edge]] = field(default_factory=dict)
    missing: dict[str, dict[str, bool]] = field(default_factory=dict)  # name -> importers, and whether they need it
    mentions: dict[str, Mentions] = field(default_factory=dict)
    tops: set[str] = field(default_factory=set)  # top-level modules reached so far
    waiting: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # until a top-level module is reached
    behind: set[str] = field(default_factory=set)  # "module.attribute" of entry points that somebody asks for
    starred: set[str] = field(default_factory=set)  # modules that all is imported from
    called: set[str] = field(default_factory=set)  # packages that strings name
    after: list[tuple[str, str, bool]] = field(
        default_factory=list
    )  # modules, what they put after names, if they open it
    unasked: list[tuple[str, Import]] = field(default_factory=list)  # modules, and what they import when asked
    pending: deque[str] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.unspeakable = {}
        for name in self.known:
            package, _, own = name.rpartition(".")
            if not own.isidentifier():
                self.unspeakable.setdefault(package, []).append(name)

    def start(self, name: str, how: How) -> None:
        """Begin at ``name``."""
        if not self.add("", name, how):
            self.missing.setdefault(name, {})[""] = False

    def add(self, importer: str, name: str, how: How, *, needed: bool = False) -> bool:
        """Note that ``importer`` leads to ``name``; False where there's no such module."""
        if name not in self.known or name == importer:
            return name == importer
        if (importer, name) in NEVER_RUN or (how != "included" and self._tests_python(importer, name)):
            return True
        edges = self.edges.setdefault(importer, {})
        before = edges.get(name)
        edges[name] = _Edge(name, before.how if before else how, needed or bool(before and before.needed))
        if name not in self.mentions:
            self.mentions[name] = Mentions()  # until it's read
            self.pending.append(name)
            self._reached_top(name.partition(".")[0])
        return True

    def _tests_python(self, importer: str, name: str) -> bool:
        """Python's own modules import its tests nowhere but in tests."""
        return name.partition(".")[0] == "test" and importer != "" and self.known[importer].place == "stdlib"

    def _reached_top(self, top: str) -> None:
        if top not in self.tops:
            self.tops.add(top)
            for importer, name in self.waiting.pop(top, ()):
                self._call(importer, name)

    def follow(self) -> None:
        """Read what was reached, and go on to what that mentions, and to what it imported in a run."""
        traced: dict[str, list[str]] = {}
        for importer, imported in self.traced:
            traced.setdefault(importer, []).append(imported)
        while self.pending:
            name = self.pending.popleft()
            module = self.known[name]
            if parent := name.rpartition(".")[0]:
                self.add(name, parent, "parent", needed=True)
            for pattern in OF_THE_INTERPRETER.get(name, ()) if module.place == "stdlib" else ():
                for implied in fnmatch.filter(self.known, pattern) if "*" in pattern else [pattern]:
                    self.add(name, implied, "native")
            if module.kind in {"builtin", "extension"} and module.place == "stdlib":
                self._follow_imports(name, Mentions(WHEN_ASKED.get(name, ())))
            self._follow_package(name)
            for imported in traced.get(name, ()):
                self.add(name, imported, "traced")
            if module.kind in {"source", "extension"}:
                mentions = self.mentions[name] = self.read(name, module)
                self._follow_imports(name, mentions)
                self._follow_names(name, module, mentions)

    def _follow_package(self, name: str) -> None:
        """What lies in a package and comes along with it."""
        for unspeakable in self.unspeakable.get(name, ()):
            self.add(name, unspeakable, "named")
        for package in self.holding_data.get(name, ()):
            self.add(name, package, "data")

    def _follow_imports(self, name: str, mentions: Mentions) -> None:
        self._answer(lambda owner, asked: owner != name and self._asks(mentions, owner, asked))
        for each in mentions.imports:
            if each.unless and all(self._in_the_interpreter(other) for other in each.unless):
                continue
            asked = IN_METHODS.get((name, each.module), each.asked)
            if asked and name not in self.starred and not self._is_asked(name, asked):
                self.unasked.append((name, msgspec.structs.replace(each, asked=asked)))
            else:
                self._import(name, each)

    def _is_asked(self, owner: str, attributes: Iterable[str]) -> bool:
        """Whether a module that was read may ask ``owner`` for one of ``attributes``; it asks itself by its name."""
        names = {f"{owner}.{attribute}" for attribute in attributes}
        if not names.isdisjoint(self.behind) or not names.isdisjoint(self.mentions[owner].attributes):
            return True
        return any(self._asks(mentions, owner, attributes) for name, mentions in self.mentions.items() if name != owner)

    def _asks(self, mentions: Mentions, owner: str, attributes: Iterable[str]) -> bool:
        """Whether that asks ``owner``, or something that's unknown, and so not another module."""
        if f"{owner}.*" in mentions.attributes:
            return True
        for attribute in attributes:
            if not mentions.attributes.isdisjoint((attribute, f"{owner}.{attribute}")):
                return True
            end = f".{attribute}"
            for asked in mentions.attributes:
                if asked.endswith(end) and asked.removesuffix(end) not in self.known:
                    return True
        return False

    def _answer(self, is_asked: Callable[[str, tuple[str, ...]], bool]) -> None:
        """Follow the imports that wait for somebody to ask, where ``is_asked`` says that there's one now."""
        ready = [(owner, each) for owner, each in self.unasked if is_asked(owner, each.asked)]
        self.unasked = [each for each in self.unasked if each not in ready]
        for owner, statement in ready:
            self._import(owner, statement)

    def _import(self, importer: str, statement: Import) -> None:
        package = importer if self.known[importer].package else importer.rpartition(".")[0]
        if (base := _absolute(statement, package)) is None:
            return
        how: How = "named" if statement.by_name else "imported"
        if not self.add(importer, base, how, needed=statement.needed) and base:
            self._not_found(importer, base, how, needed=statement.needed)
            return
        for each in statement.names:
            if each == "*":
                self._star(importer, base)
            else:
                self.add(importer, f"{base}.{each}", how, needed=statement.needed)

    def _star(self, importer: str, base: str) -> None:
        """``from package import *`` imports the submodules that ``__all__`` names."""
        self.starred.add(base)
        self._answer(lambda owner, _: owner == base)
        module = self.known.get(base)
        if module is not None and module.package and module.kind == "source":
            for each in self.read(base, module).exports:
                self.add(importer, f"{base}.{each}", "imported")

    def _not_found(self, importer: str, name: str, how: How, *, needed: bool) -> None:
        """The nearest package above is imported before the import fails; what it does itself is its own affair."""
        above = name
        while above := above.rpartition(".")[0]:
            if self.add(importer, above, how, needed=needed):
                needed = False  # its attributes may be modules, as in os.path
                break
        self.missing.setdefault(name, {})[importer] = needed

    def _in_the_interpreter(self, name: str) -> bool:
        found = self.known.get(name)
        return found is not None and found.place == "stdlib" and found.kind in {"builtin", "extension"}

    def _follow_names(self, name: str, module: Module, mentions: Mentions) -> None:
        package = name if module.package else name.rpartition(".")[0]
        for text in sorted(mentions.dotted | mentions.words):
            for found in sorted(self.groups.get(text, ())):
                self._entry_point(name, *found)
            self._named(name, module, package, text, single=text in mentions.words)
        for text in sorted(mentions.binary):
            self.add(name, text, "native")
        for after in sorted(mentions.after):
            self.after.append((name, after, mentions.opens))
            for called in sorted(self.called):
                self._inside(name, called, after, opens=mentions.opens)
        for each in sorted(mentions.below):
            self._below(name, f"{package}{each}" if each.startswith(".") else each)
        for codec in sorted(mentions.codecs):
            spelled = normalize_encoding(codec).lower()
            self.add(name, f"encodings.{aliases.get(spelled, spelled)}", "codec")

    def _entry_point(self, importer: str, module: str, attribute: str) -> None:
        """Somebody asks the module for what the entry point is, and doesn't write its name."""
        self.add(importer, module, "entry point")
        self.behind.add(f"{module}.{attribute}")
        self._answer(lambda owner, asked: owner == module and attribute in asked)

    def _named(self, importer: str, module: Module, package: str, text: str, *, single: bool) -> None:
        """A string may name a module of a package that is reached, and where modules are loaded by name any other."""
        reference = text.partition(":")[0]
        if single:  # of its own package, with or without the dot; top-level modules too, but for Python's own
            self.add(importer, f"{package}.{reference.lstrip('.')}", "named")
            found = self.known.get(reference)
            if found is not None and found.place != "stdlib":
                self.add(importer, reference, "named")
            return
        if reference.startswith("."):
            reference = package + reference
        found_name = self._longest(reference)
        if found_name is None or ("." not in found_name and ":" not in text):
            return
        top = found_name.partition(".")[0]
        if module.place == "stdlib" and top != importer.partition(".")[0]:
            return  # Python's own modules load no others by name; such strings are tables of old names and the like
        if module.place == "app" or top in self.tops:
            self._call(importer, found_name)
        else:
            self.waiting.setdefault(top, []).append((importer, found_name))

    def _longest(self, reference: str) -> str | None:
        """The longest beginning of a dotted name that is a module: what follows are attributes."""
        while reference and reference not in self.known:
            reference = reference.rpartition(".")[0]
        return reference or None

    def _below(self, importer: str, prefix: str) -> None:
        """Any module that begins with ``package.prefix`` may be loaded; encodings are known by their names."""
        package = prefix.rpartition(".")[0]
        if package == "encodings" or package not in self.known:
            return
        for name in self.known:
            if name.startswith(prefix) and "." not in name[len(package) + 1 :]:
                self._call(importer, name)

    def _call(self, importer: str, name: str) -> None:
        """A string names the module ``name``; where that's a package, others may load what lies in it."""
        self.add(importer, name, "named")
        if self.known[name].package and name not in self.called:
            self.called.add(name)
            for loader, after, opens in self.after:
                self._inside(loader, name, after, opens=opens)

    def _inside(self, importer: str, package: str, after: str, *, opens: bool) -> None:
        name = package + after
        if name in self.known:
            self.add(importer, name, "named")
        if opens or name.endswith("."):
            self._below(importer, f"{name.removesuffix('.')}.")


def _absolute(statement: Import, package: str) -> str | None:
    """The module that a relative import starts from (PEP 328); None where it leaves the top."""
    if not statement.level:
        return statement.module
    parts = package.split(".")
    if not package or statement.level > len(parts):
        return None
    base = ".".join(parts[: len(parts) - statement.level + 1])
    return f"{base}.{statement.module}" if statement.module else base


def walk(graph: Graph, starts: Iterable[Start]) -> tuple[dict[str, Reason], dict[str, str]]:
    """Follow everything from ``starts``; returns what is reached, each with its reason, and what is broken."""
    for name, how in starts:
        graph.start(name, how)
    graph.follow()
    broken = _broken(graph)
    reached: dict[str, Reason] = {}
    pending = deque([""])
    while pending:
        importer = pending.popleft()
        for edge in graph.edges.get(importer, {}).values():
            if edge.target not in reached and edge.target not in broken:
                reached[edge.target] = Reason(importer, edge.how)
                pending.append(edge.target)
    return reached, broken


def _broken(graph: Graph) -> dict[str, str]:
    """Modules that can't be imported, and of what they lack; the app's own are left for their author to see."""
    broken = {name: "" for name, mentions in graph.mentions.items() if mentions.refuses}
    for name, importers in graph.missing.items():
        for importer, needed in importers.items():
            if needed:
                broken.setdefault(importer, name)
    broken = {name: lack for name, lack in broken.items() if _may_break(graph, name)}
    users: dict[str, list[str]] = {}
    for importer, edges in graph.edges.items():
        for edge in edges.values():
            if edge.needed:
                users.setdefault(edge.target, []).append(importer)
    pending = deque(broken)
    while pending:
        name = pending.popleft()
        for user in users.get(name, ()):
            if user not in broken and _may_break(graph, user):
                broken[user] = broken[name] or name
                pending.append(user)
    return broken


def _may_break(graph: Graph, name: str) -> bool:
    return bool(name) and graph.known[name].place != "app"


def missing(graph: Graph, reached: Mapping[str, Reason]) -> dict[str, Missing]:
    """What is nowhere to be found, as far as what is reached asks for it."""
    found = {}
    for name, importers in sorted(graph.missing.items()):
        here = {each: needed for each, needed in importers.items() if not each or each in reached}
        if here:
            found[name] = Missing(tuple(sorted(here)), any(here.values()))
    return found


def lines(graph: Graph, reached: Iterable[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The lines that load modules whose names can't be read, by module."""
    for name in sorted(reached):
        if dynamic := graph.mentions[name].dynamic:
            yield name, dynamic
