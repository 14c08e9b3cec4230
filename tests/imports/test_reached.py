"""What is reached of a graph, in the fewest steps, and what is left of it when something is missing."""

from __future__ import annotations

import pytest

from cannery.imports.graph import Graph
from cannery.imports.model import Import, Mentions, Missing, Module, Reason
from cannery.imports.reached import lines, missing, walk

pytestmark = pytest.mark.once

KNOWN = {name: Module("source", "app" if name == "app" else "dependencies", f"/{name}") for name in ("app", *"abcd")}


def graph(**mentions: Mentions) -> Graph:
    return Graph(KNOWN, lambda name, _: mentions.get(name, Mentions()), {})


def test_each_module_has_the_reason_that_is_nearest_to_the_start() -> None:
    made = graph(app=Mentions((Import("a"), Import("b"))), a=Mentions((Import("c"),)), c=Mentions((Import("b"),)))
    reached, broken = walk(made, [("app", "started")])
    assert reached == {
        "app": Reason("", "started"), "a": Reason("app", "imported"), "b": Reason("app", "imported"),
        "c": Reason("a", "imported"),
    }  # fmt: skip
    assert broken == {}


def test_what_lacks_something_is_broken_and_reached_with_all_that_need_it_but_for_the_app() -> None:
    made = graph(
        app=Mentions((Import("a", needed=True), Import("d"))),
        a=Mentions((Import("b", needed=True),)),
        b=Mentions((Import("nowhere", needed=True), Import("c", needed=True))),
    )
    reached, broken = walk(made, [("app", "started")])
    assert set(reached) == {"app", *"abcd"}
    assert broken == {"a": "nowhere", "b": "nowhere"}


def test_a_module_that_refuses_to_be_imported_is_broken_by_itself() -> None:
    reached, broken = walk(graph(app=Mentions((Import("a"),)), a=Mentions(refuses=True)), [("app", "started")])
    assert (set(reached), broken) == ({"app", "a"}, {"a": ""})


def test_what_is_missing_counts_where_somebody_who_is_reached_asks_for_it() -> None:
    made = graph(app=Mentions((Import("gone", needed=True), Import("a"))), a=Mentions((Import("perhaps"),)),
                 b=Mentions((Import("never"),)))  # fmt: skip
    reached, _ = walk(made, [("app", "started")])
    assert missing(made, reached) == {"gone": Missing(("app",), needed=True), "perhaps": Missing(("a",), needed=False)}


def test_lines_that_load_what_cannot_be_read_are_told_by_module() -> None:
    made = graph(app=Mentions((Import("a"),), dynamic=(3, 9)))
    reached, _ = walk(made, [("app", "started")])
    assert dict(lines(made, reached)) == {"app": (3, 9)}
