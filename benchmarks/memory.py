"""The most memory that a build takes at any moment."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.projects import heavy, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

__all__ = ["memory"]

_PEAK = Path(__file__).with_name("peak.py")
_SIZE = 2_000_000_000  # bytes


def memory(bench: Bench) -> Iterator[Figure]:
    """Memory while a tree of 2 GB is packed, in one file and in many; and while the sample is built."""
    for what, files in (("one file", 1), ("20,000 files", 20_000)):
        bench.say(f"memory: 2 GB in {what}")
        folder = bench.folder / "heavy"
        heavy(folder / "project", files=files, size=_SIZE)
        yield _figure(bench, folder, f"memory: 2 GB in {what}")
        shutil.rmtree(folder)
    sample(bench.folder / "memory" / "project")
    yield _figure(bench, bench.folder / "memory", "memory: sample, cold")


def _figure(bench: Bench, folder: Path, what: str) -> Figure:
    python = str(bench.venv / "bin" / "python")
    argv = (python, str(_PEAK), "image", "--json")
    cost = bench.command(folder / "project", *argv, CANNERY_CACHE=str(folder / "cache")).run()
    own, children = (int(word) * 1024 / 1e6 for word in cost.output.split()[-2:])
    return Figure(what, own, "MB", 200, f"largest process that it starts: {children:.1f} MB; took {cost.seconds:.1f} s")
