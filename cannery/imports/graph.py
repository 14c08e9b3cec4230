"""The graph of imports: the mentions of each module followed to other modules, until nothing new is reached."""

from __future__ import annotations

import fnmatch
from collections import deque
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

from cannery.imports.cpython import IN_METHODS, NEVER_RUN, OF_THE_INTERPRETER, WHEN_ASKED
from cannery.imports.elsewhere import Elsewhere
from cannery.imports.model import Import, Mentions, Module
from cannery.imports.names import NameFollower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cannery.imports.model import How
    from cannery.imports.trace import Traced

__all__ = ["Edge", "Graph", "Start"]

_BY_PATH = {"sitecustomize", "usercustomize"}  # found on PYTHONPATH, where packages put their folder
_GUESSED = {"codec", "entry point", "named", "native"}  # ways that strings lead

Start = tuple[str, "How"]  # a module that the program begins with, and the reason


class MentionReader(Protocol):
    """Reads a module."""

    def __call__(self, name: str, module: Module) -> Mentions:
        """The mentions of ``module``, called ``name``."""
        ...


@dataclass(frozen=True, slots=True)
class Edge:
    """One module leads to another."""

    target: str
    how: How
    needed: bool = False  # the importer can't be imported without the target
    optional: bool = False  # the importer goes on without it, or only a string names it


@dataclass
class Graph:
    """The modules that each module leads to, and the names that lead to none."""

    known: Mapping[str, Module]  # every module there is
    read: MentionReader
    groups: Mapping[str, frozenset[tuple[str, str]]]  # modules behind entry points, and which of their attributes
    holding_data: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # package -> packages of data in it
    pickled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # package -> modules that pickles in it name
    traced: InitVar[Traced] = ()
    edges: dict[str, dict[str, Edge]] = field(default_factory=dict)  # importer -> imported
    missing: dict[str, dict[str, bool]] = field(default_factory=dict)  # name -> importer -> True if it needs it
    mentions: dict[str, Mentions] = field(default_factory=dict)  # of every module that was come upon
    _traced: dict[str, list[str]] = field(default_factory=dict)  # importer -> what it imported in a run
    _nameless: dict[str, list[str]] = field(init=False)  # package -> its modules that aren't imported by their names
    _behind: set[str] = field(default_factory=set)  # "module.attribute" of entry points that somebody asks for
    _starred: set[str] = field(default_factory=set)  # modules of "from module import *"
    _unasked: list[tuple[str, Import]] = field(default_factory=list)  # module, import that waits to be asked for
    _lost: set[str] = field(default_factory=set)  # names of what is imported from modules that aren't there, and theirs
    _attributes: set[str] = field(default_factory=set)  # names of what is imported from others, and is no module
    _waiting: dict[str, list[tuple[str, Import]]] = field(default_factory=dict)  # hook -> top-level name, import
    _asked_for: set[str] = field(default_factory=set)  # top-level names that are imported, there or not
    _asked_hooks: set[str] = field(default_factory=set)  # hooks of the start, of which somebody asked something
    _pending: deque[str] = field(default_factory=deque)
    _names: NameFollower = field(init=False)

    def __post_init__(self, traced: Traced) -> None:
        self._names = NameFollower(self, self.groups)
        for importer, imported in traced:
            self._traced.setdefault(importer, []).append(imported)
        self._nameless = {}
        for name in self.known:
            package, _, own = name.rpartition(".")
            if not own.isidentifier() or (package and own in _BY_PATH):
                self._nameless.setdefault(package, []).append(name)

    def start(self, name: str, how: How) -> None:
        """Begin at ``name``."""
        if not self.add("", name, how):
            self.missing.setdefault(name, {})[""] = False

    def add(self, importer: str, name: str, how: How, *, needed: bool = False, optional: bool | None = None) -> bool:
        """Note that ``importer`` leads to the module ``name``; False where there is no such module.

        Unless it's said, what strings name is ``optional``, and nothing else.
        """
        if name not in self.known or name == importer:
            return name == importer
        if (importer, name) in NEVER_RUN or (how != "included" and self._tests_python(importer, name)):
            return True
        if not importer or self.known[importer].place != "stdlib":
            self._names.asked(name)
        edges = self.edges.setdefault(importer, {})
        before = edges.get(name)
        spared = how in _GUESSED if optional is None else optional
        edges[name] = Edge(
            name,
            before.how if before else how,
            needed or (before is not None and before.needed),
            spared and (before is None or before.optional),
        )
        if name not in self.mentions:
            self.mentions[name] = Mentions()  # until it's read
            self._pending.append(name)
            self._names.reached(name.partition(".")[0])
            self._ask_hooks(name)
        return True

    def ask(self, module: str, attribute: str) -> None:
        """Note that some code asks ``module`` for ``attribute``, by a name that no source has."""
        self._behind.add(f"{module}.{attribute}")
        self._answer(lambda owner, asked: owner == module and attribute in asked)

    def follow(self) -> None:
        """Read every module that is reached, and follow its mentions and the imports of the run."""
        while self._pending or self._found_elsewhere():
            if not self._pending:
                continue
            name = self._pending.popleft()
            module = self.known[name]
            self._follow_place(name, module)
            for imported in self._traced.get(name, ()):
                self.add(name, imported, "traced")
            if module.kind in {"source", "extension"}:
                mentions = self.mentions[name] = self.read(name, module)
                self._follow_imports(name, mentions)
                self._names.follow(name, module, mentions)

    def _follow_place(self, name: str, module: Module) -> None:
        """Lead from ``module`` to its package, to data in it, and to the imports of its C code."""
        if parent := name.rpartition(".")[0]:
            self.add(name, parent, "parent", needed=True)
        if module.place == "stdlib":
            for pattern in OF_THE_INTERPRETER.get(name, ()):
                for implied in fnmatch.filter(self.known, pattern) if "*" in pattern else [pattern]:
                    self.add(name, implied, "native")
            if module.kind in {"builtin", "extension"}:
                self._follow_imports(name, Mentions(WHEN_ASKED.get(name, ())))
        for each in self._nameless.get(name, ()):
            self.add(name, each, "named")
        for package in self.holding_data.get(name, ()):
            self.add(name, package, "data")
        for each in self.pickled.get(name, ()):
            self.add(name, each, "pickled")

    def _tests_python(self, importer: str, name: str) -> bool:
        """True where a module of the standard library leads to Python's tests: only tests import those."""
        return name.partition(".")[0] == "test" and importer != "" and self.known[importer].place == "stdlib"

    def _follow_imports(self, name: str, mentions: Mentions) -> None:
        self._answer(lambda owner, asked: owner != name and self._asks(mentions, owner, asked))
        for each in mentions.imports:
            if each.unless and all(self._in_the_interpreter(other) for other in each.unless):
                continue
            asked = IN_METHODS.get((name, each.module), each.asked)
            if asked and name not in self._starred and not self._is_asked(name, asked):
                self._unasked.append((name, msgspec.structs.replace(each, asked=asked)))
            else:
                self._import(name, each)

    def _is_asked(self, owner: str, attributes: Iterable[str]) -> bool:
        """True if a module that was read may ask ``owner`` for one of ``attributes``, ``owner`` itself by full name."""
        names = {f"{owner}.{attribute}" for attribute in attributes}
        if not names.isdisjoint(self._behind) or not names.isdisjoint(self.mentions[owner].attributes):
            return True
        return any(self._asks(mentions, owner, attributes) for name, mentions in self.mentions.items() if name != owner)

    def _asks(self, mentions: Mentions, owner: str, attributes: Iterable[str]) -> bool:
        """True if the ``mentions`` ask ``owner``, or an object that may be any, for one of ``attributes``."""
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
        """Follow those of the imports that wait to be asked for of which ``is_asked(module, attributes)`` is true."""
        ready = [(owner, each) for owner, each in self._unasked if is_asked(owner, each.asked)]
        self._unasked = [each for each in self._unasked if each not in ready]
        for owner, statement in ready:
            self._import(owner, statement)

    def _import(self, importer: str, statement: Import) -> None:
        package = importer if self.known[importer].package else importer.rpartition(".")[0]
        if (base := _absolute(statement, package)) is None:
            return
        base = base.removesuffix(".__init__")  # from .__init__ import x: the file of the package itself
        if self._waits(importer, statement, base):
            return
        self._ask_hooks(base)
        how: How = "named" if statement.by_name else "imported"
        certain, spared = statement.needed, statement.guarded
        if not self.add(importer, base, how, needed=certain, optional=spared) and base:
            if base != "__main__":  # which is there in every program
                self._lost.update((base, *(f"{base}.{each}" for each in statement.names)))
                self._not_found(importer, base, how, needed=certain, optional=spared)
            return
        for each in statement.names:
            if each == "*":
                self._star(importer, base)
            elif not self.add(importer, f"{base}.{each}", how, needed=certain, optional=spared):
                self._attributes.add(f"{base}.{each}")

    def _waits(self, importer: str, statement: Import, base: str) -> bool:
        """True for a name that a hook of the start has for others: it counts once one of them asks for such a module.

        What a ``.pth`` file imports may stand in for modules that nobody asks for (setuptools' ``_distutils_hack``).
        """
        started = self.edges.get("", {}).get(importer)
        if not statement.by_name or started is None or started.how != "start-up" or importer in self._asked_hooks:
            return False
        top = base.partition(".")[0]
        if top in self._asked_for:
            self._ask_hook(importer)
            return False
        self._waiting.setdefault(importer, []).append((top, statement))
        return True

    def _ask_hooks(self, name: str) -> None:
        """Follow what hooks of the start have for a module ``name`` that is asked for, be it there or not."""
        top = name.partition(".")[0]
        self._asked_for.add(top)
        for importer in [each for each, names in self._waiting.items() if any(top == other for other, _ in names)]:
            self._ask_hook(importer)

    def _ask_hook(self, importer: str) -> None:
        self._asked_hooks.add(importer)
        for _, statement in self._waiting.pop(importer, ()):
            self._import(importer, statement)

    def _star(self, importer: str, base: str) -> None:
        """Follow ``from base import *``, which imports the submodules that ``__all__`` names."""
        self._starred.add(base)
        self._answer(lambda owner, _: owner == base)
        module = self.known.get(base)
        if module is not None and module.package and module.kind == "source":
            for each in self.read(base, module).exports:
                self.add(importer, f"{base}.{each}", "imported")

    def _not_found(self, importer: str, name: str, how: How, *, needed: bool, optional: bool) -> None:
        """Note that ``name`` is missing; the nearest package above it that is there is imported all the same."""
        above = name
        while above := above.rpartition(".")[0]:
            if self.add(importer, above, how, needed=needed, optional=optional):
                needed = False  # its attributes may be modules, as in os.path
                break
        self.missing.setdefault(name, {})[importer] = needed

    def _found_elsewhere(self) -> bool:
        """Lead to what the imports that were read find by other ways than their names; True where that is anything."""
        elsewhere = Elsewhere(self.known, self.mentions)
        instead = {name: [*elsewhere.instead_of(name)] for name in self._lost}
        beside = [each for name in (*self._attributes, *self.mentions) for each in elsewhere.beside(name)]
        found = False
        for source, other in (*beside, *(each for several in instead.values() for each in several)):
            found |= other not in self.mentions
            self.add(source, other, "named")
        for name in filter(instead.get, instead):
            self.missing.pop(name, None)
        return found

    def _in_the_interpreter(self, name: str) -> bool:
        found = self.known.get(name)
        return found is not None and found.place == "stdlib" and found.kind in {"builtin", "extension"}


def _absolute(statement: Import, package: str) -> str | None:
    """The full name in a statement, relative or not (PEP 328); None where it leads above the top."""
    if not statement.level:
        return statement.module
    parts = package.split(".")
    if not package or statement.level > len(parts):
        return None
    base = ".".join(parts[: len(parts) - statement.level + 1])
    return f"{base}.{statement.module}" if statement.module else base
