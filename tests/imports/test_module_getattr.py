"""Modules that make their attributes when somebody asks for them (PEP 562)."""

from __future__ import annotations

import ast

import pytest

from cannery.imports.module_getattr import is_made_elsewhere, module_getattr, names_compared

pytestmark = pytest.mark.once


def test_the_function_at_the_top_level_is_found() -> None:
    found = module_getattr(ast.parse("x = 1\ndef __getattr__(name):\n    return name\n"))
    assert found is not None
    assert found.lineno == 2


@pytest.mark.parametrize(
    "source", ["class C:\n    def __getattr__(self, name): pass", "def __getattr__(self, name): pass", "x = 1"]
)
def test_no_other_is(source: str) -> None:
    assert module_getattr(ast.parse(source)) is None


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("__getattr__ = lazy(__name__)", True),
        ("if x:\n pass\nelse:\n __all__, __getattr__, __dir__ = lazy(__name__, ['.a'])", True),
        ("class C:\n __getattr__ = lazy(x)", False),
        ("__getattr__ = other", False),
    ],
)
def test_one_that_a_call_makes_is_known(source: str, made: bool) -> None:
    assert is_made_elsewhere(ast.parse(source)) is made


@pytest.mark.parametrize(
    ("test", "names"),
    [
        ("name == 'a'", ("a",)), ("name in {'a', 'b'}", ("a", "b")), ("name in ['a']", ("a",)),
        ("name in ('a', x)", ()),
        ("other == 'a'", ()), ("other in ('a',)", ()), ("name == x", ()), ("name.startswith('a')", ()),
        ("name in x", ()),        ("name in ('a', 1)", ()),
    ],
)  # fmt: skip
def test_the_names_that_a_condition_is_about_are_read_where_all_are_written_out(
    test: str, names: tuple[str, ...]
) -> None:
    assert names_compared(ast.parse(test, mode="eval").body, "name") == names
