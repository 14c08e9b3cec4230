"""How the cost of builds grows with the number of the project's modules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.builds import after_change
from benchmarks.figures import Figure
from benchmarks.projects import modules
from benchmarks.timing import interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

__all__ = ["growth"]

_PEAK = Path(__file__).with_name("peak.py")
_COUNTS = (10, 100, 1_000, 10_000)


def growth(bench: Bench) -> Iterator[Figure]:
    """Projects of ten to ten thousand modules, with no requirements: time, memory and bytes of their builds."""
    for count in _COUNTS:
        bench.say(f"growth: {count:,} modules")
        project = modules(bench.folder / "growth" / f"of-{count}", count)
        cache = {"CANNERY_CACHE": str(bench.folder / "growth" / f"cache-{count}")}
        python = str(bench.venv / "bin" / "python")
        cold = bench.command(project, python, str(_PEAK), "image", "--json", "--engine", "none", **cache).run()
        own, started = (int(word) * 1024 / 1e6 for word in cold.output.split()[-2:])
        layers = bench.image(project, "--engine", "none", **cache)["layers"]
        (app,) = (layer["compressed_size"] for layer in layers if layer["name"] == "app")
        costs = interleaved(
            bench.several(),
            unchanged=bench.invoke(project, "image", "--engine", "none", **cache),
            changed=after_change(bench.invoke(project, "image", "--engine", "none", **cache), project, "main.py"),
        )
        what = f"growth, {count:,} modules"
        yield Figure(f"{what}: empty cache", cold.seconds, "s", None, f"once; app layer {app / 1e3:,.1f} kB compressed")
        yield Figure(f"{what}: memory then", own, "MB", None, f"largest process that it starts: {started:.1f} MB")
        for name, told in (("unchanged", "nothing changed"), ("changed", "one line changed")):
            yield Figure(f"{what}: {told}", costs[name].seconds, "s", None, str(costs[name]))
