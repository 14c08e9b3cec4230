"""The search: from all modules of the places and those that the program begins with to what is reached."""

from __future__ import annotations

import fnmatch
import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from cannery.errors import ConfigurationError, did_you_mean
from cannery.imports.data import data_of, opened
from cannery.imports.data_packages import data_packages
from cannery.imports.entry_points import entry_points
from cannery.imports.graph import Graph
from cannery.imports.model import Module, Reach
from cannery.imports.path_files import folders_added, imports_at_start
from cannery.imports.pickles import pickled
from cannery.imports.places import find_modules
from cannery.imports.reached import deferred, lines, missing, optional, walk
from cannery.imports.reading import MentionIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cannery.imports.graph import Start
    from cannery.imports.model import Host
    from cannery.imports.places import Place
    from cannery.imports.trace import Traced
    from cannery.workspace.workspace import Workspace

__all__ = ["Question", "search"]


@dataclass(frozen=True)
class Question:
    """All that decides about what a program reaches, but for the Python that it is for."""

    places: Sequence[Place]  # in the order of sys.path
    starts: tuple[Start, ...]  # modules that the program begins with
    script: str | None  # the path of a file that is run
    mains: tuple[str, ...]  # what else can be run: modules by name, files by path
    called: tuple[tuple[str, str], ...]  # modules, and what is started or served of them: a function, an object
    include: tuple[str, ...]  # modules and patterns such as package.*
    traced: Traced
    named: tuple[str, ...] = ()  # names in files of settings, some of which may be modules


def search(question: Question, host: Host, workspace: Workspace) -> Reach:
    """All that the program reaches; raises :class:`ConfigurationError` for a pattern that matches no module."""
    script, places = question.script, [_with_folders(place) for place in question.places]
    main = {"__main__": Module("source", "app", script)} if script else {}
    inside = {name: Module("builtin", "stdlib") for name in host.builtins}
    modules = {**find_modules(places), **inside, **main}
    mains = {name: module for each in question.mains for name, module in _main(each, modules)}
    modules |= mains
    groups = entry_points(places)
    index = MentionIndex(places, modules, host, workspace, frozenset(mains), frozenset(groups))
    carried = pickled(places, modules)
    graph = Graph(modules, index.of, groups, data_packages(places, modules), carried, _traced(question))
    starts = [*_starts(question, modules), *((name, "pickled") for name in carried.get("", ()))]
    starts += [(name, "start-up") for name in imports_at_start(places, host) if name in modules]
    for module, attribute in question.called:
        graph.ask(module, attribute)
    reached, broken = walk(graph, starts)
    index.save()
    there = {name: modules[name] for name in reached}
    data = data_of(places, there, graph.mentions)
    return Reach(
        modules={name: msgspec.structs.replace(modules[name], reason=reached[name]) for name in sorted(reached)},
        data=tuple(sorted(data)),
        missing=missing(graph, reached),
        broken=dict(sorted(broken.items())),
        left_out=tuple(sorted(name for name in modules.keys() - reached.keys() if modules[name].place != "app")),
        dynamic=dict(lines(graph, reached)),
        optional=tuple(sorted(optional(graph))),
        deferred=tuple(sorted(deferred(graph))),
        opened=tuple(sorted(opened(data, there, graph.mentions))),
    )


def _main(main: str, modules: Mapping[str, Module]) -> Iterator[tuple[str, Module]]:
    """The module that is run: the one of that name or with that path; a file that no import finds is one, too."""
    found = [name for name, module in modules.items() if main in {name, module.path} and name != "__main__"]
    named = [name for name in found if not modules[name].package]
    yield from ((name, modules[name]) for name in named)
    if not found and main.startswith("/"):
        yield f"__main__:{posixpath.basename(main).removesuffix('.py')}", Module("source", "app", main)


def _starts(question: Question, modules: Mapping[str, Module]) -> Iterator[Start]:
    """The modules that the program begins with, those that are included, and those of the app."""
    yield from question.starts
    yield from ((name, "included") for name in _included(question.include, modules))
    yield from ((name, "named") for name in _named(question.named, modules))
    for name, module in modules.items():
        if module.place == "app" and module.path != question.script:
            yield name, "own"


def _named(names: Iterable[str], modules: Mapping[str, Module]) -> Iterator[str]:
    """The installed modules among ``names``, or whose attributes these are; Python's own have those who import them."""
    for name in names:
        module = name.partition(":")[0]
        while module and module not in modules:
            module = module.rpartition(".")[0]
        certain = module and ("." in module or ":" in name or module == name)
        if certain and modules[module].place == "dependencies":
            yield module


def _with_folders(place: Place) -> Place:
    """``place`` with the folders that its ``.pth`` files add, which Python looks into after all others."""
    if place.kind != "dependencies":
        return place
    return replace(place, roots=(*place.roots, *folders_added(place.tree.tree, place.roots)))


def _traced(question: Question) -> Traced:
    """The imports of a run, in which a script goes by its file's name, as those of ``__main__``."""
    if question.script is None:
        return question.traced
    script = posixpath.basename(question.script).removesuffix(".py")
    return tuple(("__main__" if importer == script else importer, name) for importer, name in question.traced)


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
