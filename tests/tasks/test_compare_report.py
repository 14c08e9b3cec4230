"""The report of a comparison: its tables fit a terminal and mark the best, and its JSON is what the schema says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from cannery.comparison.measurement import Measurement, Running, Spread
from cannery.tasks.report import compare as report_of
from cannery.tasks.report.compare import CompareReport, as_markdown
from cannery.tasks.report.compare_tables import tables
from tests.support.compared import COMPARED

pytestmark = pytest.mark.once

SCHEMA = json.loads(Path(report_of.__file__).with_name("compare.schema.json").read_text(encoding="utf-8"))


def best(title: str) -> dict[str, list[str]]:
    """The names of the best of each column of a table."""
    (table,) = (each for each in tables(COMPARED) if each.title == title)
    return {
        column: [row[0].text for row in table.rows if row[number].best]
        for number, column in enumerate(table.columns)
        if number
    }


def test_the_tables_fit_into_100_columns() -> None:
    lines = [line for line in CompareReport(COMPARED).lines() if not line.startswith("note ")]
    wide = [line for text in lines for line in text.splitlines() if len(line) > 100]
    assert not wide


def test_the_best_of_each_column_is_marked_and_no_other() -> None:
    assert best("stored")["on disk"] == ["pyinstaller"]
    assert best("stored")["1 line sends"] == []  # all send the same
    assert best("running")["first answer"] == ["tiny"]
    assert best("running")["requests/s"] == ["scratch"]


def test_what_is_within_the_spread_of_the_best_is_as_good() -> None:
    def started(name: str, *seconds: float) -> Measurement:
        return Measurement(name, "recipe", running=Running(Spread(seconds)))

    rows = (started("a", 1.0, 1.1, 1.4), started("b", 1.2, 1.3, 1.5), started("c", 2.0, 2.0, 2.0))
    (table,) = tables(replace(COMPARED, rows=rows))
    assert [row[0].text for row in table.rows if row[1].best] == ["a", "b"]


def test_a_row_that_cannot_be_built_tells_why() -> None:
    notes = [line for line in CompareReport(COMPARED).lines() if line.startswith("note ")]
    assert notes[1:] == [
        "note static: no build: no zig was | found; install it",
        "note pyinstaller: PyInstaller 6",
        "note pyinstaller: no run: exit code 1",
    ]


def test_the_json_is_what_its_schema_says() -> None:
    report = json.loads(json.dumps(CompareReport(COMPARED).as_json()))
    jsonschema.validate(report, SCHEMA)
    rows = {row["name"]: row for row in report["rows"]}
    assert rows["scratch"]["running"]["start"] == {
        "median": 12.5,
        "low": 11.25,
        "high": 13.75,
        "values": [12.5, 11.25, 13.75],
    }
    assert rows["static"]["lacks"][0]["step"] == "install it"
    assert rows["static"]["size"] is None


def test_markdown_has_a_table_for_each_with_the_best_in_bold() -> None:
    lines = as_markdown(COMPARED).splitlines()
    headings = [line for line in lines if line.startswith("|  |")]
    assert len(headings) == 3
    assert all(line.count("|") == headings[0].count("|") for line in lines if line.startswith("| tiny | **1.00"))
    assert "| **8.9 MB** |" in "\n".join(lines)
    assert "- static: no build: no zig was | found; install it" in lines
