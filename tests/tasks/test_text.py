"""Text for people: columns line up, and words stand out on terminals alone."""

from __future__ import annotations

import sys

import pytest

from cannery.tasks.report.text import Column, aligned, human_size, ruled, styled

pytestmark = pytest.mark.once


def test_cells_stand_below_one_another_whatever_they_are_written_in() -> None:
    assert list(aligned([("name", "size"), ("größe", "1"), ("大きさ", "22"), ("\033[1mx\033[0m", "3")], right=[1])) == [
        "name    size",
        "größe      1",
        "大きさ    22",
        "\033[1mx\033[0m          3",
    ]


def test_a_cell_that_is_very_long_moves_its_own_line_alone() -> None:
    lines = list(aligned([("a", "b"), ("x" * 100, "c"), ("d", "e")]))
    assert lines == ["a  b", f"{'x' * 100}  c", "d  e"]


def test_a_table_has_rules_around_its_rows_and_totals_below() -> None:
    columns = (Column("layer", "together"), Column("files", "1,024", right=True))
    assert list(ruled(columns, [("app", "24"), ("runtime", "1,000")])) == [
        "",
        " layer      files",
        " ────────────────",
        " app           24",
        " runtime    1,000",
        " ────────────────",
        " together   1,024",
        "",
    ]


@pytest.mark.parametrize(
    ("terminal", "environment", "shown"),
    [
        (True, {"TERM": "xterm"}, "\033[1mx\033[0m"),
        (False, {"TERM": "xterm"}, "x"),
        (True, {"TERM": "dumb"}, "x"),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, "x"),
    ],
)
def test_words_stand_out_where_somebody_sees_it(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, environment: dict[str, str], shown: str
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert styled("x", "bold") == shown


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (66_800_000, "66.8 MB"), (2.5e9, "2.50 GB")]
)
def test_sizes_are_told_in_three_digits_or_so(size: float, shown: str) -> None:
    assert human_size(size) == shown
