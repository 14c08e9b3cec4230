"""What the benchmarks make of their measurements; the measurements themselves are no tests."""

from __future__ import annotations

import pytest

from benchmarks.figures import BEGIN, END, Figure, as_markdown, between_markers
from benchmarks.timing import Cost, Costs


def _costs(*seconds: float) -> Costs:
    return Costs(tuple(Cost(each, each, "") for each in seconds))


def test_a_ratio_is_the_median_of_each_rounds_own() -> None:
    assert _costs(2, 40, 3).ratio(_costs(1, 10, 3)) == 2


def test_a_figure_at_its_reach_has_met_it() -> None:
    assert Figure("start", 1.1, "×", 1.1).met is True
    assert Figure("start", 1.11, "×", 1.1).met is False
    assert Figure("start", 1.11, "×").met is None


def test_figures_become_a_table_in_markdown() -> None:
    text = as_markdown([Figure("cold", 1.064, "×", 2, "3.2 s")], {"Python": "CPython 3.13.0"})

    assert text.startswith("- Python: CPython 3.13.0\n")
    assert text.endswith("| cold | 1.06 × | 2.00 × | yes | 3.2 s |")


def test_the_table_replaces_what_stands_between_the_markers() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert between_markers(document, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


def test_a_document_without_markers_is_left_alone() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        between_markers("before\n", "new")
