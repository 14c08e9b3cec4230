"""The names that PyInstaller's graph is told of are those that it would have found itself."""

from __future__ import annotations

import argparse
import decimal
import enum
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PyInstaller.lib.modulegraph import util
from PyInstaller.lib.modulegraph.modulegraph import ModuleGraph, SourceModule

from cannery.executable.onefile.workers.stored_names import read_quickly, stored_names

if TYPE_CHECKING:
    from types import CodeType, ModuleType

pytestmark = pytest.mark.once

MANY = "\n".join(f"name_{number} = {number}" for number in range(70_000))
DELETED = """
a = b = c = 1
del a
def f():
    global c, d
    d = [x for x in ()]
    del c
    import os
class C:
    inside = lambda: (yield)
    del inside
"""


def source(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text(encoding="utf-8")


SOURCES = {
    **{module.__name__: source(module) for module in (argparse, decimal, enum, typing)},
    "many": MANY,
    "deleted": DELETED,
    "empty": "",
}


def described(code: CodeType) -> list[tuple[bool, str]]:
    """The same by dis."""
    wanted = {"STORE_NAME": True, "STORE_GLOBAL": True, "DELETE_NAME": False, "DELETE_GLOBAL": False}
    found = (each for each in util.iterate_instructions(code) if each is not None and each.opname in wanted)
    return [(wanted[each.opname], each.argval) for each in found]


@pytest.mark.parametrize("name", SOURCES)
def test_the_names_are_those_that_dis_tells(name: str) -> None:
    code = compile(SOURCES[name], name, "exec")
    assert list(stored_names(code)) == described(code)


@pytest.mark.parametrize("imports", [False, True])
def test_the_graph_knows_the_names_that_it_would_have_found_itself(imports: bool) -> None:
    class Quick(ModuleGraph):  # type: ignore[misc]  # untyped
        pass

    read_quickly(Quick)
    assert Quick._scan_bytecode is not ModuleGraph._scan_bytecode  # noqa: SLF001
    code = compile(f"{DELETED}\n{SOURCES['typing']}", "code", "exec")
    made = [SourceModule("code"), SourceModule("code")]
    for graph, module in zip((ModuleGraph(), Quick()), made, strict=True):
        module._deferred_imports = []  # noqa: SLF001
        graph._scan_bytecode(module, code, is_scanning_imports=imports)  # noqa: SLF001
    theirs, ours = ((module._global_attr_names, [each[1][0] for each in module._deferred_imports]) for module in made)  # noqa: SLF001
    assert ours == theirs
    assert "b" in ours[0]
    assert "a" not in ours[0]
    assert ("collections.abc" in ours[1]) == imports


@pytest.mark.parametrize("graph", [type("Graph", (), {}), type("Graph", (), {"_scan_bytecode": lambda _: None})])
def test_a_graph_that_reads_another_way_is_left_alone(graph: Any) -> None:
    before = vars(graph).copy()
    read_quickly(graph)
    assert vars(graph) == before
