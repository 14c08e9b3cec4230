"""The analysis: from places of modules and a start to what is reached, remembered as long as nothing changes."""

from __future__ import annotations

import fnmatch
import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.errors import ConfigurationError, did_you_mean
from cannery.image.tree import File, Symlink
from cannery.imports.data_packages import CODE, data_packages
from cannery.imports.entry_points import entry_points
from cannery.imports.extension import read_binary, read_cython
from cannery.imports.graph import Graph
from cannery.imports.model import Mentions, Module, Reach
from cannery.imports.places import find_modules
from cannery.imports.reached import lines, missing, walk
from cannery.imports.source import read_source
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cannery.image.tree import Tree
    from cannery.imports.graph import Start
    from cannery.imports.model import Host, Reason
    from cannery.imports.places import Place
    from cannery.imports.trace import Traced
    from cannery.workspace.workspace import Workspace

__all__ = ["reach"]

_CYTHON = (".pyx", ".pxi")
_DOCUMENTATION = {".rst", ".bat"}  # in the standard library


def reach(
    places: Sequence[Place],
    starts: Iterable[Start],
    host: Host,
    workspace: Workspace,
    *,
    script: str | None = None,
    include: Sequence[str] = (),
    traced: Traced = (),
) -> Reach:
    """All that a program reaches in ``places``, which are in the order of ``sys.path``; it begins with ``starts``.

    All of the app's own modules are reached, as an app may look for modules in its own folders. ``script`` is the path
    of a file that is run, ``include`` has modules and patterns such as ``package.*``, ``traced`` the pairs of importer
    and module that a run has shown. Raises :class:`ConfigurationError` for a pattern that matches no module.
    """
    started: list[Start] = [(name, "started") for name in (*host.started, *(["__main__"] if script else []))]
    begins = (*starts, *started)
    where = [(place.kind, place.tree.key, place.roots) for place in places]
    asked = msgspec.to_builtins(host, order="sorted")
    key = key_of("reach", code_key(__name__), where, begins, asked, script, tuple(include), traced)
    if (known := workspace.cache.recall("reach", key)) is not None:
        return msgspec.convert(known, Reach)
    workspace.progress("reading imports")
    main = {"__main__": Module("source", "app", script)} if script else {}
    inside = {name: Module("builtin", "stdlib") for name in host.builtins}
    modules = {**find_modules(places), **inside, **main}
    own: list[Start] = [(name, "own") for name, module in modules.items() if _is_own(module, script)]
    named: list[Start] = [(name, "included") for name in _included(include, modules)]
    names = {posixpath.basename(script).removesuffix(".py"): "__main__"} if script else {}
    traced = tuple((names.get(importer, importer), name) for importer, name in traced)
    found = _analysed(places, modules, [*begins, *named, *own], host, workspace, traced)
    workspace.cache.remember("reach", key, msgspec.to_builtins(found))
    return found


def _analysed(
    places: Sequence[Place],
    modules: Mapping[str, Module],
    starts: Iterable[Start],
    host: Host,
    workspace: Workspace,
    traced: Traced,
) -> Reach:
    notes = _MentionIndex(places, modules, host, workspace)
    graph = Graph(modules, notes.of, entry_points(places), data_packages(places, modules), traced)
    reached, broken = walk(graph, starts)
    notes.save()
    return Reach(
        modules={name: _with_reason(modules[name], reached[name]) for name in sorted(reached)},
        data=tuple(sorted(_data(places, {name: modules[name] for name in reached}))),
        missing=missing(graph, reached),
        broken=dict(sorted(broken.items())),
        left_out=tuple(sorted(modules.keys() - reached.keys() - broken.keys())),
        dynamic=dict(lines(graph, reached)),
    )


def _is_own(module: Module, script: str | None) -> bool:
    return module.place == "app" and module.path != script


def _included(patterns: Iterable[str], modules: Mapping[str, Module]) -> Iterator[str]:
    for pattern in patterns:
        found = [pattern] if pattern in modules else fnmatch.filter(modules, pattern)
        if not found:
            raise ConfigurationError(
                f"include names {pattern!r}, and there is no such module",
                evidence=did_you_mean(pattern, modules),
                step="correct it, or add what brings that module to the requirements",
            )
        yield from sorted(found)


def _with_reason(module: Module, reason: Reason) -> Module:
    return msgspec.structs.replace(module, reason=reason)


def _data(places: Iterable[Place], reached: Mapping[str, Module]) -> Iterable[str]:
    """The files that are no code in the folders of packages that are reached: paths in the image."""
    folders = {
        module.path if module.kind == "namespace" else posixpath.dirname(module.path)
        for module in reached.values()
        if module.package
    }
    for place in places:
        others = CODE | _DOCUMENTATION if place.kind == "stdlib" else CODE
        for path, entry in place.tree.tree.entries.items():
            if isinstance(entry, File) and posixpath.splitext(path)[1] not in others:
                above = posixpath.dirname(path)
                while above not in folders and above not in {"/", *place.roots}:
                    above = posixpath.dirname(above)
                if above in folders:
                    yield path


@dataclass
class _MentionIndex:
    """The mentions of modules, each read once and remembered under the key of the tree that the module lies in."""

    places: Sequence[Place]
    modules: Mapping[str, Module]
    host: Host
    workspace: Workspace
    _trees: dict[str, Tree] = field(init=False)
    _known: dict[str, dict[str, Any]] = field(init=False)
    _new: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._trees = {place.kind: place.tree.tree for place in self.places}
        self._known = {
            place.kind: self.workspace.cache.recall("mentions", self._key(place)) or {} for place in self.places
        }

    @cached_property
    def _tops(self) -> frozenset[str]:
        """The top-level modules of the dependencies: those that an extension module's strings may name."""
        found = {name.partition(".")[0] for name, module in self.modules.items() if module.place == "dependencies"}
        return frozenset(found)

    def _key(self, place: Place) -> str:
        return key_of("mentions", code_key(__name__), place.tree.key, self.host.version, self.host.platform)

    def of(self, name: str, module: Module) -> Mentions:
        """The mentions of the module ``name``."""
        known = self._known[module.place]
        label = f"{name} {module.path}"
        if label not in known:
            known[label] = msgspec.to_builtins(self._read(name, module))
            self._new.add(module.place)
        return msgspec.convert(known[label], Mentions)

    def save(self) -> None:
        """Remember all that was read."""
        for place in self.places:
            if place.kind in self._new:
                self.workspace.cache.remember("mentions", self._key(place), self._known[place.kind])

    def _read(self, name: str, module: Module) -> Mentions:
        tree = self._trees[module.place]
        if module.kind == "extension":
            return self._read_extension(name, module, tree)
        source = _bytes(tree, module.path) or b""
        mentions = read_source(source, self.host, main=name.rpartition(".")[2] == "__main__")
        if mentions.stub and (stub := _bytes(tree, f"{module.path}i")) is not None:
            also = read_source(stub, self.host)
            return msgspec.structs.replace(mentions, imports=(*mentions.imports, *also.imports))
        return mentions

    def _read_extension(self, name: str, module: Module, tree: Tree) -> Mentions:
        """The mentions of the source beside the extension module, or where there is none, of its own strings."""
        stem = f"{posixpath.dirname(module.path)}/{posixpath.basename(module.path).partition('.')[0]}"
        if (source := _bytes(tree, f"{stem}.py")) is not None:
            return read_source(source, self.host)
        if f"{stem}.pyx" in tree:
            folder = f"{posixpath.dirname(module.path)}/"
            parts = [path for path in sorted(tree.entries) if path.startswith(folder) and path.endswith(_CYTHON)]
            return read_cython(b"\n".join(_bytes(tree, path) or b"" for path in parts))
        entry = tree.entries[module.path]
        if module.place == "stdlib" or not isinstance(entry, File):
            return Mentions()
        return read_binary(entry.content, name, self._tops)


def _bytes(tree: Tree, path: str) -> bytes | None:
    """The content of the file at ``path``, links followed within the tree; None where there is no file."""
    entry = tree.entries.get(path)
    while isinstance(entry, Symlink):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
        entry = tree.entries.get(path)
    if not isinstance(entry, File):
        return None
    with entry.content.open() as stream:
        return stream.read()
