"""Line tables are read, made shorter, and still say the same lines."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cannery.python.line_table import Line, line_table, lines_of, with_few_lines
from cannery.python.marshal import Field, Token, tokens_of

_SOURCE = "\n".join(["def f(x):", *["    x += g(x)  # several instructions"] * 90, "", *[""] * 300, "    return x", ""])


@pytest.fixture(scope="module")
def tokens() -> list[Token]:
    """Those of a module that has no columns."""
    program = "import marshal, sys; sys.stdout.buffer.write(marshal.dumps(compile(sys.stdin.read(), 'm.py', 'exec')))"
    command = [sys.executable, "-X", "no_debug_ranges", "-c", program]
    return tokens_of(subprocess.run(command, input=_SOURCE.encode(), capture_output=True, check=True).stdout)


def test_instructions_of_one_line_share_their_entries(tokens: list[Token]) -> None:
    before = [token.content for token in tokens if token.field is Field.LINES]
    after = [token.content for token in with_few_lines(tokens) if token.field is Field.LINES]
    assert sum(map(len, after)) < sum(map(len, before))
    assert [lines_of(table) for table in after] == [lines_of(table) for table in before]


def test_everything_but_line_tables_stays(tokens: list[Token]) -> None:
    for before, after in zip(tokens, with_few_lines(tokens), strict=True):
        assert after == before or after.field is Field.LINES


@pytest.mark.parametrize(
    "lines",
    [[], [Line(1, 0)], [Line(8, 2), Line(3, None), Line(1, 3)], [Line(100, 2), Line(9, 1 << 20), Line(20, None)]],
    ids=range(4),
)
def test_a_table_of_lines_has_these_lines(lines: list[Line]) -> None:
    assert lines_of(line_table(lines)) == lines


def test_lines_that_are_one_become_one() -> None:
    assert lines_of(line_table([Line(2, 2), Line(3, 0), Line(1, None), Line(4, None)])) == [Line(5, 2), Line(5, None)]


@pytest.mark.parametrize(
    "table", [b"\x80\x00", b"\xe8", b"\xe8\x7f\x7f"], ids=["columns", "no step", "a step without end"]
)
def test_a_table_with_columns_and_what_is_no_table_have_no_lines(table: bytes) -> None:
    assert lines_of(table) is None
