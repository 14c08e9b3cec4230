"""Measure what cannery promises, and print it as a table: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.audit import audit
from benchmarks.bench import new_bench
from benchmarks.builds import changed, cold, digest, unchanged
from benchmarks.compiled import compiled
from benchmarks.corpus.corpus import RECIPES, CorpusOptions, corpus
from benchmarks.corpus.project import NAMES
from benchmarks.figures import as_json, as_markdown, as_table, between_markers, with_part
from benchmarks.growth import growth
from benchmarks.listing import listing
from benchmarks.load import load
from benchmarks.memory import memory
from benchmarks.onefile import onefile
from benchmarks.recipes import recipes
from benchmarks.size import size
from benchmarks.slim import slim
from benchmarks.start import start
from benchmarks.timing import CommandError
from cannery.comparison.machine import machine
from cannery.errors import CanneryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.bench import Bench
    from benchmarks.figures import Figure

_BENCHMARKS: Mapping[str, Callable[[Bench], Iterator[Figure]]] = {
    "digest": digest,
    "unchanged": unchanged,
    "changed": changed,
    "cold": cold,
    "memory": memory,
    "growth": growth,
    "list": listing,
    "size": size,
    "start": start,
    "load": load,
    "slim": slim,
    "compiled": compiled,
    "onefile": onefile,
    "recipes": recipes,
    "audit": audit,
}


_CORPUS = "corpus"  # takes hours


def main() -> None:
    """Run the command line."""
    parser = _parser()
    options = parser.parse_args()
    chosen = CorpusOptions(
        options.results, tuple(options.recipes), tuple(options.packages), options.jobs, options.again, options.table
    )
    known = {**_BENCHMARKS, _CORPUS: lambda bench: corpus(bench, chosen)}
    try:
        benchmarks = {name: known[name] for name in options.only or _BENCHMARKS}
        figures = _measure(benchmarks, options.rounds, options.write)
    except (CanneryError, CommandError) as error:
        sys.exit(f"error: {error}")
    if options.json:
        print(json.dumps(as_json(figures, machine()), indent=2))
        return
    from rich.console import Console  # noqa: PLC0415

    Console(highlight=False).print(as_table(figures, machine()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    choices = [*_BENCHMARKS, _CORPUS]
    parser.add_argument("--only", action="append", choices=choices, help="measure this; may be given again")
    parser.add_argument("--rounds", type=int, default=15, help="how often to repeat what is quick (default: 15)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--write", type=_document, metavar="FILE", help="put what is measured into this Markdown file")
    group = parser.add_argument_group("the corpus, which takes hours and so is measured by --only corpus alone")
    group.add_argument(
        "--results", type=Path, default=Path("corpus.jsonl"), help="where trials are kept; goes on there"
    )
    group.add_argument("--recipes", nargs="+", choices=RECIPES, default=RECIPES, help="by which recipes")
    group.add_argument("--packages", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help="which packages")
    group.add_argument("--jobs", type=int, default=2, help="how many packages at a time (default: 2)")
    group.add_argument("--again", action="store_true", help="try again what was tried before")
    group.add_argument("--table", type=Path, metavar="FILE", help="put all results into this Markdown file")
    return parser


def _document(name: str) -> Path:
    """A Markdown file with a place for the table, which is looked for before anything is measured."""
    path = Path(name)
    try:
        between_markers(path.read_text(encoding="utf-8"), "")
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{name}: {error}") from error
    return path


def _measure(
    benchmarks: Mapping[str, Callable[[Bench], Iterator[Figure]]], rounds: int, document: Path | None
) -> list[Figure]:
    """Every figure of the benchmarks, measured in a folder that is gone afterwards.

    What each has measured is put into the ``document`` at once, with what else the machine did meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix="cannery-benchmarks-") as folder:
        bench = new_bench(Path(folder).resolve(), rounds, _say)
        figures: list[Figure] = []
        for name, benchmark in benchmarks.items():
            _say(name)
            found = [*benchmark(bench)]
            if document is not None:
                part = as_markdown(name, datetime.now(tz=UTC).date(), found, machine())
                document.write_text(with_part(document.read_text("utf-8"), name, part), encoding="utf-8")
            figures += found
        return figures


def _say(what: str) -> None:
    print(f"{what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
