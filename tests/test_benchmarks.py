"""What the benchmarks make of their measurements; the measurements themselves are no tests."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from benchmarks.corpus.project import NAMES
from benchmarks.corpus.results import Results
from benchmarks.corpus.table import as_markdown as corpus_as_markdown
from benchmarks.corpus.trial import Trial
from benchmarks.figures import BEGIN, END, Figure, as_markdown, between_markers, with_part
from benchmarks.timing import Cost, Costs

if TYPE_CHECKING:
    from pathlib import Path


def _costs(*seconds: float) -> Costs:
    return Costs(tuple(Cost(each, each, "") for each in seconds))


def test_a_ratio_is_the_median_of_each_rounds_own() -> None:
    assert _costs(2, 40, 3).ratio(_costs(1, 10, 3)) == 2


def test_a_figure_at_its_reach_has_met_it() -> None:
    assert Figure("start", 1.1, "×", 1.1).met is True
    assert Figure("start", 1.11, "×", 1.1).met is False
    assert Figure("start", 1.11, "×").met is None


def test_figures_become_a_table_in_markdown() -> None:
    text = as_markdown("cold", date(2026, 2, 3), [Figure("cold", 1.064, "×", 2, "3.2 s")], {"Python": "CPython 3.13.0"})

    assert text.startswith("**cold**, 2026-02-03: CPython 3.13.0.\n")
    assert text.endswith("| cold | 1.06 × | 2.00 × | yes | 3.2 s |")


def test_the_table_replaces_what_stands_between_the_markers() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert between_markers(document, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


def test_what_is_measured_again_takes_its_own_place_and_anything_new_comes_last() -> None:
    document = with_part(with_part(f"before\n{BEGIN}\n\n{END}\n", "cold", "1 s"), "size", "2 MB")
    assert document.index("1 s") < document.index("2 MB") < document.index(END)
    again = with_part(document, "cold", "3 s")
    assert again == document.replace("1 s", "3 s")


def test_a_document_without_markers_is_left_alone() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        between_markers("before\n", "new")


def test_the_corpus_has_300_packages() -> None:
    assert len({*NAMES}) == len(NAMES) == 300


def test_results_outlive_a_run_and_the_last_of_a_package_counts(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.jsonl")
    results.add(Trial("six", "tiny", "differs", "output"))
    results.add(Trial("six", "tiny", "same", asked=("import", "use")))
    again = Results(tmp_path / "results.jsonl")
    assert again.trials == (Trial("six", "tiny", "same", asked=("import", "use")),)
    assert again.has("six", "tiny")
    assert not again.has("six", "scratch")


def test_the_corpus_becomes_tables_of_numbers_and_of_reasons() -> None:
    trials = [
        Trial("six", "scratch", "same", asked=("import", "use"), commit="2d82f7a"),
        Trial("lxml", "scratch", "refused", "no wheel in /home/ann/x | y", commit="2d82f7a"),
        Trial("lxml", "tiny", "refused", "no wheel in /home/ann/x | y", commit="15a8578"),
        Trial("torch", "tiny", "unusable", "too large"),
    ]
    assert corpus_as_markdown(trials).splitlines() == [
        "| recipe | packages | same | differs | refused | crashed | too slow | with a use | of those the same |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        "| `scratch` | 2 | 1 | 0 | 1 | 0 | 0 | 1 | 1 |",
        "| `tiny` | 1 | 0 | 0 | 1 | 0 | 0 | 0 | 0 |",
        "",
        "| package | recipe | what | why |",
        "|---|---|---|---|",
        "| lxml | `scratch`, `tiny` | refused | no wheel in x \\| y |",
        "",
        "Trials by commit: 1 of `15a8578`, 2 of `2d82f7a`.",
    ]
