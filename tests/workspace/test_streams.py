"""What cannery says obeys nobody: control sequences of others are seen, and not obeyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.tasks.report.text import aligned
from cannery.workspace.streams import say, show, visible
from tests.support.command import assert_refused, cannery

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

HOSTILE = {
    "\x1b]0;owned\x07": r"\x1b]0;owned\x07",  # sets the window's title
    "\x1b[2J\x1b[H": r"\x1b[2J\x1b[H",  # clears the screen
    "\x1b[8mhidden": r"\x1b[8mhidden",
    "\x9b31m": r"\x9b31m",  # the same as one character
    "safe\rok  ": r"safe\rok  ",  # writes over the line
    "a\bb": r"a\x08b",
    "\u202egpj.exe": r"\u202egpj.exe",  # from right to left
    "a\u200bb": r"a\u200bb",
}


@pytest.mark.parametrize(("text", "seen"), HOSTILE.items())
def test_control_sequences_are_seen(text: str, seen: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert visible(text) == seen
    say(text)
    show(text)
    assert capsys.readouterr() == (f"{seen}\n", f"{seen}\n")


@pytest.mark.parametrize(
    "text", ["two\nlines\tand a tab", "größe 大きさ 🙈", "\x1b[1mbold\x1b[0m \x1b[1;31mred\x1b[0m \x1b[2mdim"]
)
def test_what_is_meant_stays(text: str) -> None:
    assert visible(text) == text


def test_a_name_with_the_end_of_a_line_makes_no_row_of_a_table() -> None:
    assert list(aligned([("a\nerror: b", "c")])) == [r"a\nerror: b  c"]


def test_an_error_shows_the_control_sequences_of_a_path(make_project: MakeProject) -> None:
    project = make_project({"main.py": "", "pyproject.toml": '[tool.cannery]\nresources = ["\\u001b[2J"]\n'})
    message = assert_refused(cannery("image", cwd=project), 2)
    assert r"\x1b[2J" in message
    assert "\x1b" not in message
