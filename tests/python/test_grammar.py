"""Sources in the grammar of another Python than the running one."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from cannery.python.grammar import NoPythonError, parse, parse_with
from cannery.workspace.process import run
from tests.support.sources import newer_python

pytestmark = pytest.mark.once

NEWER = """\
import first
type Names = list[str]

def f[T](x: T) -> T:
    import second
    return f"{'\\n'.join(x)}{x!r:>{10}}"

class C[T: int]:
    value = 1.5, 2j, b"x", ..., 1e999
"""


def test_a_newer_python_s_syntax_becomes_a_tree_of_the_running_one() -> None:
    with pytest.raises(NoPythonError):
        parse(NEWER.encode())
    tree = parse_with(newer_python(), NEWER.encode(), run)
    imports = [(node.names[0].name, node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Import)]
    assert sorted(imports) == [("first", 1), ("second", 5)]
    assert [type(node) for node in tree.body] == [ast.Import, ast.Assign, ast.FunctionDef, ast.ClassDef]
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert {1.5, 2j, b"x", ..., None} <= set(constants)


def test_the_tree_is_the_same_as_one_that_is_parsed_here() -> None:
    source = Path(__file__).read_bytes()
    assert ast.dump(parse_with(Path(sys.executable), source, run)) == ast.dump(parse(source))


@pytest.mark.parametrize("here", [True, False])
def test_what_is_no_python_says_where(here: bool) -> None:
    source = b"x = 1\nif\n"
    with pytest.raises(NoPythonError, match="invalid syntax") as raised:
        _ = parse(source) if here else parse_with(Path(sys.executable), source, run)
    assert (raised.value.line, raised.value.text) == (2, "if")
