"""The search for imports that fail: the app's modules read, and each import in them looked for."""

from __future__ import annotations

import fnmatch
import posixpath
import re
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from cannery.errors import did_you_mean
from cannery.image.tree import File
from cannery.imports.host import host_of
from cannery.imports.model import Host, Module
from cannery.imports.places import Place, known_modules, standard_library
from cannery.imports.reading import MentionIndex
from cannery.project.app import HOME, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.python.grammar import NoPythonError, parse
from cannery.trees.import_lines import import_lines
from cannery.trees.own import started_with
from cannery.trees.unprovided import Unprovided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.image.tree import Tree
    from cannery.imports.model import Import, Mentions
    from cannery.project.app import App
    from cannery.trees.unprovided import Provision
    from cannery.workspace.workspace import Workspace

__all__ = ["ImportSearch", "Importable"]


class Importable:
    """Everything that the imports of one app can find."""

    def __init__(self, app: App, provision: Provision, workspace: Workspace) -> None:
        self.own = Place("app", provision.code, app.image_roots)
        self._wheels = provision.wheels
        self._standard: frozenset[str] = frozenset()
        installed = Place("dependencies", provision.wheels, (provision.site_packages, *self._more_folders(provision)))
        if provision.python is None:
            major, minor, micro = (*provision.version, 0, 0)[:3]
            self.host = Host((major, minor, micro), frozenset())
            self._standard = sys.stdlib_module_names
            self.modules = known_modules((self.own, installed), workspace)
        else:
            self.host = host_of(provision.python, workspace)
            self.modules = known_modules((self.own, installed, standard_library(provision.python)), workspace)

    def _more_folders(self, provision: Provision) -> Iterator[str]:
        """The folders that ``.pth`` files add to the search path (docs.python.org, site)."""
        for text in _texts(provision.wheels.tree, ".pth"):
            for line in text.splitlines():
                if line.strip() and not line.startswith(("#", "import ", "import\t")):
                    yield posixpath.normpath(posixpath.join(provision.site_packages, line.strip()))

    def lacks(self, name: str) -> str:
        """The part of the dotted ``name`` that no import finds; empty where nothing can be said against it.

        Below a package that somebody else wrote, any name may be an attribute, or a module that code makes.
        """
        parts = name.removesuffix(".__init__").split(".")
        for count in range(1, len(parts) + 1):
            part = ".".join(parts[:count])
            found = self.modules.get(part)
            if found is None:
                known = part in self._standard | self.host.builtins | {"__main__"} or self._is_made_at_start(part)
                return "" if known else part
            if found.place != "app" and found.kind != "namespace":
                return ""
        return ""

    def _is_made_at_start(self, name: str) -> bool:
        """True where a ``.pth`` file of a dependency runs code that speaks of ``name``, as setuptools' of distutils."""
        return any(re.search(rf"\b{re.escape(name)}\b", text) for text in self._run_at_start)

    @cached_property
    def _run_at_start(self) -> tuple[str, ...]:
        tree = self._wheels.tree
        lines = [line for text in _texts(tree, ".pth") for line in text.splitlines() if line.startswith("import")]
        words = {word for line in lines for word in re.findall(r"\w+", line)}
        paths = [self.modules[word].path for word in sorted(words & self.modules.keys())]
        texts = [text for path in paths for text in _texts(tree, path)]
        return tuple(texts)


class ImportSearch:
    """The app's modules, read one after the other: those that the program imports, and then all others."""

    def __init__(self, app: App, provision: Provision, workspace: Workspace) -> None:
        self._importable = Importable(app, provision, workspace)
        self._own = {name: module for name, module in self._importable.modules.items() if module.place == "app"}
        for entry in app.entries:
            if isinstance(entry, ScriptEntry) and not entry.path.is_absolute():
                path = str(entry.image_path)
                self._own[f"__main__ {path}"] = Module("source", "app", path)  # a name that no module has
        self._index = MentionIndex([self._importable.own], self._own, self._importable.host, workspace)
        self._mentions = {
            name: self._index.of(name, module) for name, module in self._own.items() if module.kind == "source"
        }
        self._index.save()
        starts = [name for name in _starts(app) if name in self._own]
        self._reached = self._follow(starts or self._own)  # where a dependency begins, it may load any

    def found(self) -> Iterator[Unprovided]:
        """What is missing, in the order of paths and lines."""
        paths = {self._own[name].path: name for name in sorted(self._mentions)}  # a script has two names
        for path, name in sorted(paths.items()):
            missing: dict[str, bool] = {}
            for each in self._mentions[name].imports:
                for lack in {} if each.by_name else dict.fromkeys(map(self._importable.lacks, self._asked(name, each))):
                    missing[lack] = missing.get(lack, False) or each.needed
            missing.pop("", None)
            yield from self._with_lines(path, missing, reached=self._is_reached(path))

    def unknown(self, patterns: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Those of ``patterns`` that no module is called, each with the name that may be meant."""
        modules = self._importable.modules
        for pattern in patterns:
            if pattern not in modules and not fnmatch.filter(modules, pattern):
                yield pattern, did_you_mean(pattern, modules)

    def _is_reached(self, path: str) -> bool:
        return any(self._own[name].path == path for name in self._reached if name in self._own)

    def _source(self, path: str) -> bytes:
        """The source of one of the app's files; none of one that is no part of it, as it's where the image goes."""
        entry = self._importable.own.tree.tree.entries.get(path)
        if not isinstance(entry, File):
            return b""
        with entry.content.open() as stream:
            return stream.read()

    def _unguarded(self, path: str) -> frozenset[str]:
        """The words of the imports in the source that nothing guards."""
        try:
            lines = [*import_lines(parse(self._source(path)))]
        except NoPythonError:  # of a newer grammar
            return frozenset()
        return frozenset().union(*(each.words for each in lines if not each.guarded))

    def _with_lines(self, path: str, missing: Mapping[str, bool], *, reached: bool) -> Iterator[Unprovided]:
        """What of ``missing`` no line guards."""
        if not missing:
            return
        shown = path.removeprefix(f"{HOME}/")
        try:
            lines = [each for each in import_lines(parse(self._source(path))) if not each.guarded]
        except NoPythonError:  # of a newer grammar
            yield from (Unprovided(name, shown, 0, needed and reached) for name, needed in missing.items())
            return
        for name, needed in sorted(missing.items()):
            own = [each for each in lines if name.rpartition(".")[2] in each.words]
            line = next((each.line for each in own if not (needed and each.deferred)), 0)
            if line or needed:
                yield Unprovided(name, shown, line, needed and reached)

    def _asked(self, name: str, statement: Import) -> Iterator[str]:
        """The full names of the modules that a statement of the module ``name`` imports for certain."""
        package = name if self._own[name].package else name.rpartition(".")[0]
        above = package.split(".") if package else []
        if statement.level > len(above):
            return  # it leads above the top
        if statement.level:
            above = above[: len(above) - statement.level + 1]
            base = ".".join([*above, *([statement.module] if statement.module else [])])
        else:
            base = statement.module
        yield base
        found = self._importable.modules.get(base)
        if found is not None and found.kind == "namespace":  # which has no attributes
            yield from (f"{base}.{each}" for each in statement.names if each != "*")

    def _follow(self, starts: Iterable[str]) -> set[str]:
        """The app's modules that the program imports, or names in full.

        Functions count where they are those of a module that starts, or of one that this imports: what others import
        in functions, and behind guards, the program may do without.
        """
        starts = {*starts}
        first = starts.union(*(self._named(name, self._mentions[name]) for name in starts & self._mentions.keys()))
        pending = [*starts]
        reached: set[str] = set()
        while pending:
            name = pending.pop()
            if name in reached:
                continue
            reached.add(name)
            pending += [name.rpartition(".")[0]] if "." in name else []
            if (mentions := self._mentions.get(name)) is not None:
                pending += self._named(name, mentions, certain=name not in first)
        return reached

    def _named(self, name: str, mentions: Mentions, *, certain: bool = False) -> Iterator[str]:
        words = frozenset[str]() if certain else self._unguarded(self._own[name].path)
        for each in mentions.imports:
            last = each.module.rpartition(".")[2]
            if not each.needed and words.isdisjoint({last, *each.names}) and not each.by_name:
                continue
            for base in self._asked(name, each):
                yield from (full for full in (base, *(f"{base}.{part}" for part in each.names)) if full in self._own)
        for text in mentions.dotted:
            reference = text.partition(":")[0]
            while reference and reference not in self._own:
                reference = reference.rpartition(".")[0]
            if "." in reference or ":" in text:
                yield reference


def _starts(app: App) -> Iterator[str]:
    """The names of the modules that the program begins with."""
    for entry in app.entries:
        match entry:
            case ScriptEntry():
                yield f"__main__ {entry.image_path}"
            case ModuleEntry(name):
                yield from (name, f"{name}.__main__")
            case FunctionEntry(module=module):
                yield module
    for word in started_with(app):
        yield word.partition(":")[0]


def _texts(tree: Tree, ending: str) -> Iterator[str]:
    """The texts of the files in ``tree`` whose paths end so."""
    for path, file in tree.files():
        if path.endswith(ending):
            with file.content.open() as stream:
                yield stream.read().decode(errors="replace")
