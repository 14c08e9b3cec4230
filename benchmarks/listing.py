"""``invoke --list``, which everybody types and which must not wait for cannery."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.projects import sample
from benchmarks.timing import interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

__all__ = ["listing"]


def listing(bench: Bench) -> Iterator[Figure]:
    """The list of cannery's tasks, against that of an empty ``tasks.py``, which Invoke ends with exit code 1."""
    project, empty = sample(bench.folder / "listing"), bench.folder / "empty"
    empty.mkdir()
    (empty / "tasks.py").touch()
    costs = interleaved(
        bench.rounds,
        cannery=bench.invoke(project, "--list"),
        empty=replace(bench.invoke(empty, "--list"), accepts=(0, 1)),
    )
    detail = f"{costs['cannery']}; empty: {costs['empty']}"
    yield Figure("invoke --list: against an empty tasks.py", costs["cannery"].ratio(costs["empty"]), "×", 1.5, detail)
