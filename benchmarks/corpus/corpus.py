"""How many of the most downloaded packages do in an image what they do in a virtual environment, by each recipe."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Final

from benchmarks.bench import install
from benchmarks.corpus.project import NAMES, Unusable, make_project
from benchmarks.corpus.results import Results
from benchmarks.corpus.table import BEGIN, END, as_markdown
from benchmarks.corpus.trial import STATES, Trial, tried
from benchmarks.figures import Figure, between_markers
from benchmarks.projects import REPOSITORY
from cannery import __version__
from cannery.workspace.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.bench import Bench

__all__ = ["RECIPES", "CorpusOptions", "corpus"]

RECIPES: Final = ("scratch", "tiny", "onefile", "static")
_PATIENCE: Final = 900.0  # seconds for one image
_BULKY: Final = ("dependencies", "environments", "roots")  # of the cache, and of one package alone
_MOST_BLOBS: Final = 2 << 30  # bytes: packages share what is made of the runtime


@dataclass(frozen=True)
class CorpusOptions:
    """What is tried, and where the results go."""

    results: Path = Path("corpus.jsonl")
    recipes: tuple[str, ...] = RECIPES
    packages: tuple[str, ...] = tuple(NAMES)
    jobs: int = 2
    again: bool = False  # what was tried before is tried again
    table: Path | None = None  # a Markdown file that they are put into

    @cached_property
    def commit(self) -> str:
        """The commit that is tried, and whether anything was changed since."""
        return run(["git", "describe", "--always", "--dirty"], cwd=REPOSITORY).stdout.strip()


def corpus(bench: Bench, options: CorpusOptions) -> Iterator[Figure]:
    """The number of packages that do something else, by each recipe; what was tried before is not tried again."""
    bench = replace(bench, venv=install(bench.folder / "for-corpus", f"{REPOSITORY}[onefile,static,zstd]"))
    results = Results(options.results)
    waiting: Queue[str] = Queue()
    for package in options.packages:
        waiting.put(package)
    with ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(_work, bench, results, waiting, options, number) for number in range(options.jobs)]
        for job in jobs:
            job.result()
    if options.table is not None:
        document = options.table.read_text(encoding="utf-8")
        text = between_markers(document, as_markdown(results.trials), BEGIN, END)
        options.table.write_text(text, encoding="utf-8")
    for recipe in options.recipes:
        yield _figure(recipe, [trial for trial in results.trials if trial.recipe == recipe])


def _work(bench: Bench, results: Results, waiting: Queue[str], options: CorpusOptions, number: int) -> None:
    """Try one package after the other, with a cache of this job's own."""
    cache = bench.folder / f"cache-{number}"
    env = {**bench.env, "CANNERY_CACHE": str(cache)}
    with suppress(Empty):
        while package := waiting.get_nowait():
            recipes = [name for name in options.recipes if options.again or not results.has(package, name)]
            if recipes:
                for trial in _trials(bench, package, recipes, env):
                    results.add(replace(trial, commit=options.commit))
                    bench.say(f"{package}, {trial.recipe}: {trial.state} {trial.reason}")
                _tidy(cache / __version__)


def _tidy(cache: Path) -> None:
    """Remove what only the package that was tried last needed."""
    for kind in _BULKY:
        shutil.rmtree(cache / kind, ignore_errors=True)
    blobs = cache / "blobs"
    if sum(file.stat().st_size for file in blobs.rglob("*") if file.is_file()) > _MOST_BLOBS:
        shutil.rmtree(blobs)


def _trials(bench: Bench, package: str, recipes: list[str], env: Mapping[str, str]) -> Iterator[Trial]:
    """Try one package by each of ``recipes``, in a folder that is gone afterwards."""
    folder = bench.folder / "packages" / package
    try:
        project = make_project(folder, package, sys.executable)
        yield from (tried(project, recipe, bench.venv / "bin" / "cannery", env, _PATIENCE) for recipe in recipes)
    except Unusable as error:
        yield from (Trial(package, recipe, "unusable", str(error)) for recipe in recipes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _figure(recipe: str, trials: Sequence[Trial]) -> Figure:
    counts = Counter(trial.state for trial in trials)
    said = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    return Figure(f"corpus, {recipe}: something else", counts["differs"] + counts["crashed"], "packages", 0, said)
