"""What goes into a container that runs, and what takes another one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from cannery.image.content import Inline
from cannery.image.platform import machine_platform
from cannery.image.tree import Directory, File, LazyTree, Symlink, Tree
from cannery.project.config import load
from cannery.recipes.plan import Plan
from cannery.recipes.watched import RunningPlan, changed_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.tree import Entry
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

ONE, OTHER = File(Inline(b"one")), File(Inline(b"two"))


@pytest.fixture
def plan(make_project: MakeProject) -> Plan:
    layers = (("runtime", LazyTree("r", lambda: Tree({"/bin/python": ONE}))), ("app", layer({"/app/a.pyc": ONE})))
    return Plan(load(make_project({"main.py": ""})), layers, {"Entrypoint": ["/a"]}, machine_platform())


def layer(entries: Mapping[str, Entry]) -> LazyTree:
    return LazyTree(repr(entries), lambda: Tree(entries))


@pytest.mark.parametrize(
    ("entries", "changed"),
    [
        ({"/app/a.pyc": ONE}, []),
        ({"/app/a.pyc": OTHER}, ["/app/a.pyc"]),
        ({"/app/a.pyc": dataclasses.replace(ONE, mode=0o755)}, ["/app/a.pyc"]),
        ({"/app/a.pyc": ONE, "/app/b": Directory(), "/app/b/c": Symlink("d")}, ["/app/b", "/app/b/c"]),
        ({}, None),
        ({"/app/a.pyc": Symlink("b")}, None),
    ],
)
def test_files_that_came_or_changed_go_in(plan: Plan, entries: Mapping[str, Entry], changed: list[str] | None) -> None:
    found = changed_files(RunningPlan.of(plan), replace(plan, layers=(plan.layers[0], ("app", layer(entries)))))
    assert (None if found is None else [path for path, _ in found]) == changed


def test_what_starts_otherwise_takes_another_container(plan: Plan) -> None:
    running = RunningPlan.of(plan)
    assert changed_files(running, plan) == Tree()
    assert changed_files(running, replace(plan, config={"Entrypoint": ["/b"]})) is None
    assert changed_files(running, replace(plan, layers=plan.layers[1:])) is None


def test_a_large_layer_is_not_looked_into(plan: Plan) -> None:
    class Large:
        size = 1 << 30

        def open(self) -> None:
            raise AssertionError

    large = Tree({"/large": File(Large())})  # type: ignore[arg-type]
    some = replace(plan, layers=(*plan.layers, ("dependencies", LazyTree("large", lambda: large))))
    running = RunningPlan.of(some)
    assert changed_files(running, some) == Tree()
    assert changed_files(running, replace(some, layers=(*plan.layers, ("dependencies", layer({}))))) is None
