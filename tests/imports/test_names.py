"""Strings lead to modules that they may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cannery.imports.model import Mentions, Module
from cannery.imports.names import NameFollower

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.imports.model import How, Where

pytestmark = pytest.mark.once

_MODULES: dict[str, tuple[Where, bool]] = {
    "app": ("app", False), "a": ("dependencies", True), "a.b": ("dependencies", True),
    "a.b.one": ("dependencies", False),
    "a.b.one_more": ("dependencies", False), "a.c": ("dependencies", False), "lib": ("stdlib", True),
    "lib.x": ("stdlib", False), "encodings": ("stdlib", True), "encodings.cp437": ("stdlib", False),
    "encodings.utf_8": ("stdlib", False),
}  # fmt: skip
KNOWN: Mapping[str, Module] = {
    name: Module("source", place, f"/{name}", package) for name, (place, package) in _MODULES.items()
}


class Led:
    """A graph that notes where it's led, and tells the follower what is reached by that."""

    known = KNOWN

    def __init__(self, groups: Mapping[str, frozenset[tuple[str, str]]] | None = None) -> None:
        self.edges: list[tuple[str, str, str]] = []
        self.asked: list[tuple[str, str]] = []
        self.names = NameFollower(self, groups or {})

    def add(self, importer: str, name: str, how: How) -> bool:
        if name not in KNOWN or name == importer:
            return name == importer
        self.edges.append((importer, name, how))
        self.names.reached(name.partition(".")[0])
        return True

    def ask(self, module: str, attribute: str) -> None:
        self.asked.append((module, attribute))

    def follow(self, name: str, **mentions: set[str]) -> set[str]:
        """Where the strings in a module lead."""
        before = len(self.edges)
        found: dict[str, Any] = {key: frozenset(value) for key, value in mentions.items()}
        self.names.follow(name, KNOWN[name], Mentions(**found))
        return {target for _, target, _ in self.edges[before:]}


def test_a_dotted_string_means_the_longest_module_that_it_begins_with() -> None:
    assert Led().follow("app", dotted={"a.b.one.Class.method", "a.c:function", "nowhere.at.all"}) == {"a.b.one", "a.c"}


def test_a_string_in_a_dependency_waits_until_its_package_is_reached() -> None:
    led = Led()
    assert led.follow("lib", dotted={"a.c.x"}) == set()
    assert led.follow("a.c", dotted={"a.b.one.x"}) == set()
    led.names.reached("a")
    assert led.edges == [("a.c", "a.b.one", "named")]


def test_python_s_own_strings_name_modules_of_their_own_package_alone() -> None:
    led = Led()
    led.names.reached("lib")
    led.names.reached("a")
    assert led.follow("lib.x", dotted={"lib.x.C", "a.c.C"}) == set()
    assert led.follow("lib", dotted={"lib.x.C", "a.c.C"}) == {"lib.x"}


def test_a_word_means_a_module_beside_it_or_a_top_level_one_that_is_not_python_s() -> None:
    assert Led().follow("a.c", words={"b", ".b", "app", "lib"}) == {"a.b", "app"}


def test_a_group_s_name_leads_to_its_entry_points_and_asks_for_what_they_are() -> None:
    led = Led({"plugins": frozenset({("a.c", "main")})})
    assert led.follow("app", groups={"plugins"}) == {"a.c"}
    assert led.edges == [("app", "a.c", "entry point")]
    assert led.asked == [("a.c", "main")]


def test_a_prefix_means_what_is_right_below_it() -> None:
    assert Led().follow("app", below={"a.b.one"}) == {"a.b.one", "a.b.one_more"}
    assert Led().follow("app", below={"a."}) == {"a.b", "a.c"}
    assert Led().follow("a.b", below={"."}) == {"a.b.one", "a.b.one_more"}
    assert Led().follow("app", below={"encodings."}) == {"encodings.cp437", "encodings.utf_8"}
    assert Led().follow("lib", below={"encodings."}) == set()  # Python's own modules ask for them by name


def test_python_s_own_modules_load_by_a_suffix_for_those_who_ask_them() -> None:
    led = Led()
    led.follow("lib", after={".one"})
    assert led.follow("app", dotted={"a.b:x"}) == {"a.b"}
    led.names.asked("lib")
    assert ("lib", "a.b.one", "named") in led.edges


def test_a_suffix_is_looked_for_in_packages_that_are_named_before_and_afterwards() -> None:
    led = Led()
    led.names.asked("lib")
    led.names.asked("lib.x")
    assert led.follow("lib", after={".one"}) == set()
    assert led.follow("app", dotted={"a.b:x"}) == {"a.b", "a.b.one"}
    assert ("lib", "a.b.one", "named") in led.edges
    assert led.follow("lib.x", after={".one_more"}) == {"a.b.one_more"}
    assert led.follow("lib.x", after={"."}) == {"a.b.one", "a.b.one_more"}


def test_a_dotted_name_may_be_relative_where_modules_are_loaded_by_name() -> None:
    led = Led()
    assert led.follow("a", dotted={"b.one:f"}) == set()
    assert led.follow("a", dotted={"b.one:f"}, words={"x"}) == {"a.b.one"}


def test_a_function_that_loads_modules_of_packages_finds_those_whose_names_it_is_handed() -> None:
    for first, second in (("lib", "a.c"), ("a.c", "lib")):
        led = Led()
        led.follow("app", dotted={"a.b:x"})
        for name in (first, second):
            led.follow(name, **({"joins": {"discover"}} if name == "lib" else {"handed": {"discover:one", "other:x"}}))
        assert {edge[:2] for edge in led.edges} == {("app", "a.b"), ("lib", "a.b.one")}


def test_encodings_are_known_by_any_of_their_names() -> None:
    assert Led().follow("app", codecs={"437", "UTF8", "none"}) == {"encodings.cp437", "encodings.utf_8"}


def test_words_in_an_extension_module_may_be_modules() -> None:
    led = Led()
    led.follow("a.c", binary={"lib", "absent"})
    assert led.edges == [("a.c", "lib", "native")]
