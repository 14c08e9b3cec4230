"""From a graph of imports to a result: the modules reached, those that are broken, those that are missing."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from cannery.imports.model import Missing, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cannery.imports.graph import Edge, Graph, Start

__all__ = ["deferred", "lines", "missing", "optional", "walk"]


def walk(graph: Graph, starts: Iterable[Start]) -> tuple[dict[str, Reason], dict[str, str]]:
    """Follow all imports from ``starts``; returns the modules reached with their reasons, and the broken among them.

    A broken one is reached as any other: whoever imports it shall be told by Python what it lacks, as everywhere else,
    and what the analysis doesn't find a program may yet put in place itself.
    """
    for name, how in starts:
        graph.start(name, how)
    graph.follow()
    return _reasons(graph), _broken(graph)


def optional(graph: Graph) -> frozenset[str]:
    """The modules that are reached only where an importer does without them, or where a string names them."""
    return frozenset(_reasons(graph).keys() - _reasons(graph, lambda _, edge: not edge.optional).keys())


def deferred(graph: Graph) -> frozenset[str]:
    """The modules that only functions of dependencies, or of the standard library, import, or that their strings name.

    A program may never come there. Imports that something guards don't count as such: they are tried.
    """

    def at_start(importer: str, edge: Edge) -> bool:
        own = not importer or graph.known[importer].place == "app"
        return own or edge.needed or edge.optional == (edge.how == "imported")

    return frozenset(_reasons(graph).keys() - _reasons(graph, at_start).keys())


def _reasons(graph: Graph, counts: Callable[[str, Edge], bool] = lambda *_: True) -> dict[str, Reason]:
    """Module reached -> why, in the fewest steps; by those steps alone that count, given the importer and the edge."""
    reached: dict[str, Reason] = {}
    pending = deque([""])
    while pending:
        importer = pending.popleft()
        for edge in graph.edges.get(importer, {}).values():
            if edge.target not in reached and counts(importer, edge):
                reached[edge.target] = Reason(importer, edge.how)
                pending.append(edge.target)
    return reached


def _broken(graph: Graph) -> dict[str, str]:
    """Module that can't be imported -> the module that is missing; without the app's own modules."""
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
    """The missing modules that reached modules import."""
    found = {}
    for name, importers in sorted(graph.missing.items()):
        here = {each: needed for each, needed in importers.items() if not each or each in reached}
        if here:
            found[name] = Missing(tuple(sorted(here)), any(here.values()))
    return found


def lines(graph: Graph, reached: Iterable[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Module -> its lines that load modules whose names are made at run time."""
    for name in sorted(reached):
        if dynamic := graph.mentions[name].dynamic:
            yield name, dynamic
