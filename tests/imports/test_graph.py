"""What modules mention leads to modules, and to nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.imports.graph import Graph
from cannery.imports.model import Import, Mentions, Module

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.once

_PACKAGES = {"a", "a.b", "d", "n"}


def modules(*names: str) -> dict[str, Module]:
    return {name: Module("source", "dependencies", f"/{name}", name in _PACKAGES) for name in names}


KNOWN = {
    **modules("m", "a", "a.b", "a.b.c", "a.x", "d", "d.0001", "d.data", "other"),
    "_decimal": Module("builtin", "stdlib"),
    "zipimport": Module("source", "stdlib", "/zipimport"),
    "importlib.readers": Module("source", "stdlib", "/readers"),
    "collections": Module("source", "stdlib", "/collections"),
    "test": Module("source", "stdlib", "/test", package=True),
}


def graph(mentions: Mapping[str, Mentions], *starts: str, **more: object) -> Graph:
    made = Graph(KNOWN, lambda name, _: mentions.get(name, Mentions()), {}, **more)  # type: ignore[arg-type]
    for name in starts or ("m",):
        made.start(name, "started")
    made.follow()
    return made


def reached(mentions: Mapping[str, Mentions], *starts: str) -> set[str]:
    return set(graph(mentions, *starts).mentions)


def imports(*statements: Import) -> Mentions:
    return Mentions(statements)


def test_a_package_leads_to_what_each_python_loads_from_its_folder() -> None:
    known = {**KNOWN, **modules("a.sitecustomize", "sitecustomize", "other.usercustomize")}
    made = Graph(known, lambda *_: Mentions(), {})
    made.start("a", "started")
    made.follow()
    assert set(made.mentions) == {"a", "a.sitecustomize"}


def test_an_import_leads_to_the_module_to_its_packages_and_to_submodules_that_it_names() -> None:
    assert reached({"m": imports(Import("a.b", names=("c", "function")))}) == {"m", "a", "a.b", "a.b.c"}


def test_a_relative_import_starts_from_the_package() -> None:
    assert reached({"a.b.c": imports(Import("x", 2))}, "a.b.c") >= {"a.x"}
    assert reached({"a.b": imports(Import("", 1, ("c",)))}, "a.b") >= {"a.b.c"}
    assert reached({"m": imports(Import("x", 1))}) == {"m"}  # it leaves the top


def test_a_package_may_be_imported_by_the_name_of_its_file() -> None:
    made = graph({"m": imports(Import("a.b.__init__", names=("c",), needed=True))})
    assert {"a.b", "a.b.c"} <= set(made.mentions)
    assert not made.missing


def test_each_edge_says_how_and_whether_the_importer_fails_with_it() -> None:
    made = graph({"m": imports(Import("a", needed=True), Import("other", by_name=True))})
    edges = {target: (edge.how, edge.needed) for target, edge in made.edges["m"].items()}
    assert edges == {"a": ("imported", True), "other": ("named", False)}


def test_what_is_nowhere_is_missing_and_its_nearest_package_is_reached() -> None:
    made = graph({"m": imports(Import("a.path", needed=True), Import("nowhere", needed=True))}, "m", "absent")
    assert made.missing == {"absent": {"": False}, "a.path": {"m": False}, "nowhere": {"m": True}}
    assert "a" in made.mentions


def test_the_other_side_of_an_accelerator_is_not_followed_where_that_is_inside_the_interpreter() -> None:
    assert "other" not in reached({"m": imports(Import("other", unless=("_decimal",)))})
    assert "other" in reached({"m": imports(Import("other", unless=("a",)))})


def test_a_star_takes_the_submodules_that_all_names() -> None:
    mentions = {"m": imports(Import("a", names=("*",))), "a": Mentions(exports=("x", "nothing"))}
    assert reached(mentions) == {"m", "a", "a.x"}


@pytest.mark.parametrize(
    ("attributes", "asked"),
    [({"a.one"}, True), ({"one"}, True), ({"a.*"}, True), ({"unknown.one"}, True), ({"other.one"}, False),
     ({"two"}, False)],
)  # fmt: skip
def test_what_an_attribute_brings_waits_for_somebody_who_asks_for_it(attributes: set[str], *, asked: bool) -> None:
    mentions = {
        "m": Mentions((Import("a"), Import("other")), attributes=frozenset(attributes)),
        "a": imports(Import("a.x", asked=("one",))),
    }
    assert ("a.x" in reached(mentions)) is asked


def test_what_lies_in_a_package_and_no_statement_can_import_comes_along() -> None:
    made = graph({"m": imports(Import("d"))}, holding_data={"d": ("d.data",)})
    assert {target: edge.how for target, edge in made.edges["d"].items()} == {"d.0001": "named", "d.data": "data"}


def test_what_a_run_imported_counts_for_modules_that_are_reached() -> None:
    made = graph({}, traced=(("m", "other"), ("a", "d")))
    assert set(made.mentions) == {"m", "other"}


def test_tables_of_cpython_s_own_modules_are_followed_for_those_alone() -> None:
    assert "collections" in reached({"m": imports(Import("_decimal"))})
    readers = imports(Import("importlib.readers"))
    assert "importlib.readers" not in reached({"zipimport": readers}, "zipimport")
    asking = Mentions(attributes=frozenset({"get_resource_reader"}))
    assert "importlib.readers" in reached({"zipimport": readers, "m": asking}, "m", "zipimport")


def test_python_s_tests_are_reached_from_no_module_of_its_own() -> None:
    tests = imports(Import("test"))
    assert "test" not in reached({"zipimport": tests}, "zipimport")
    assert "test" in reached({"m": tests})
