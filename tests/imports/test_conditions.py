"""Expressions come to what they would in the image, or to nothing that is known."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from cannery.imports.conditions import UNKNOWN, Conditions
from cannery.imports.model import Host

pytestmark = pytest.mark.once

_HEAD = "import sys, os, typing, platform as p\nfrom os import path as there\nSMALL = 3\nNAME = 'a.b'\nCHANGED = 1\n"
_SOURCE = f"{_HEAD}CHANGED = 2\n"


def conditions(*, main: bool = False) -> Conditions:
    return Conditions(ast.parse(_SOURCE), Host((3, 12, 1), frozenset()), main=main)


def parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sys.platform", "linux"), ("sys.version_info[:2]", (3, 12)), ("sys.version_info >= (3, 12)", True),
        ("p.system()", "Linux"), ("os.name", "posix"), ("SMALL < 4", True), ("not SMALL", False),
        ("SMALL in (1, 2)", False), ("'x' not in 'abc'", True), ("NAME[0]", "a"), ("NAME.startswith(('a', 'b'))", True),
        ("unknown or True", True), ("unknown and False", False), ("typing.TYPE_CHECKING", False),
        ("[1, SMALL]", (1, 3)),
    ],
)  # fmt: skip
def test_what_is_known_before_a_run_comes_to_its_value(expression: str, value: object) -> None:
    assert conditions().value(parsed(expression)) == value


@pytest.mark.parametrize(
    "expression",
    ["CHANGED", "unknown", "sys.argv", "unknown and True", "1 < 'a'", "NAME[9]", "NAME[::2]", "f(1)", "sys.f(1)",
     "SMALL.startswith('a')", "lambda: 1", "1 < SMALL < 4", "__name__", "[unknown]", "not unknown"],
)  # fmt: skip
def test_what_only_a_run_can_tell_is_unknown(expression: str) -> None:
    assert conditions().value(parsed(expression)) is UNKNOWN
    assert conditions().truth(parsed(expression)) is None


def test_a_module_is_called_main_when_it_is_the_program() -> None:
    guard = parsed("__name__ == '__main__'")
    assert conditions(main=True).truth(guard) is True
    assert conditions().truth(guard) is False
    assert conditions().truth(parsed("__name__ == 'other'")) is None


@pytest.mark.parametrize(
    ("expression", "template"),
    [
        ("NAME + '.c'", "a.b.c"), ("x + '.c'", "\0.c"), ("'%s.%s' % (NAME, x)", "a.b.\0"), ("'{}.c'.format(x)", "\0.c"),
        ("f'{NAME}.{x}'", "a.b.\0"), ("'%s.%s' % x", ""), ("'{}{}'.format(x)", ""), ("x", ""), ("'plain'", ""),
    ],
)  # fmt: skip
def test_a_text_that_is_put_together_keeps_a_gap_for_what_is_unknown(expression: str, template: str) -> None:
    assert conditions().template(parsed(expression)) == template


@pytest.mark.parametrize(
    ("expression", "path"),
    [("there.join", "os.path.join"), ("p.x.y", "platform.x.y"), ("sys", "sys"), ("NAME.x", None), ("f().x", None)],
)
def test_attributes_of_modules_are_called_by_the_modules_names(expression: str, path: str | None) -> None:
    found: Any = conditions().path(parsed(expression))
    assert found == path
