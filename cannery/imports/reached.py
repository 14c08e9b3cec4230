"""From a graph of imports to a result: the modules reached, those that are broken, those that are missing."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from cannery.imports.model import Missing, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.imports.graph import Graph, Start

__all__ = ["lines", "missing", "walk"]


def walk(graph: Graph, starts: Iterable[Start]) -> tuple[dict[str, Reason], dict[str, str]]:
    """Follow all imports from ``starts``; returns the modules reached with their reasons, and the broken ones."""
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
    """Module that can't be imported -> the module that is missing. An app's own module is not in it, but reached."""
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
