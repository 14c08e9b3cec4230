"""The report of a comparison: tables for a terminal and for Markdown, and all values as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.tasks.report.compare_tables import noted, tables
from cannery.tasks.report.text import aligned, styled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.comparison.measurement import BuildTimes, Measurement, Running, Spread
    from cannery.recipes.comparing.compare import Compared
    from cannery.tasks.report.compare_tables import Cell, ComparedTable

__all__ = ["CompareReport", "as_markdown"]

_SCHEMA: Final = 1  # of the JSON; it grows when a field goes or means something else


@dataclass(frozen=True, slots=True)
class CompareReport:
    """Contenders that were measured."""

    found: Compared

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; sizes and memory are bytes, times seconds."""
        found = self.found
        return {
            "version": _SCHEMA,
            "project": found.project,
            "probe": found.probe.text,
            "rounds": found.rounds,
            "when": found.when,
            "seconds": round(found.seconds, 1),
            "machine": dict(found.machine),
            "rows": [_row_as_json(row) for row in found.rows],
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text, none of them wider than 100 columns."""
        found = self.found
        yield f"{styled(found.project, 'bold')}  {', '.join(list(found.machine.values())[:2])}"
        for table in tables(found):
            yield f"\n{styled(table.title, 'bold')}  {table.explained}"
            yield from _aligned(table)
        yield f"\n* best of its column, or within its range   took {found.seconds:.0f} s"
        yield from (f"{styled('note', 'yellow')} {line}" for line in noted(found))


def as_markdown(found: Compared) -> str:
    """The tables as Markdown, best values in bold."""
    facts = ", ".join(found.machine.values())
    lines = [f"## {found.project}, packed in {len(found.rows) - 1} ways", "", f"{found.when}, {facts}."]
    for table in tables(found):
        lines += ["", f"**{table.title}**: {table.explained}", "", _marked(table.columns)]
        lines.append(_marked(["---", *["---:"] * (len(table.columns) - 1)]))
        lines += [_marked([f"**{cell.text}**" if cell.best else cell.text for cell in row]) for row in table.rows]
    if notes := list(noted(found)):
        lines += ["", *(f"- {note}" for note in notes)]
    return "\n".join(lines) + "\n"


def _marked(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _aligned(table: ComparedTable) -> Iterator[str]:
    rows = [list(table.columns), *([_in_terminal(cell) for cell in row] for row in table.rows)]
    return aligned(rows, right=range(1, len(table.columns)))


def _in_terminal(cell: Cell) -> str:
    return styled(f"{cell.text}*", "bold") if cell.best else f"{cell.text} "


def _row_as_json(row: Measurement) -> dict[str, Any]:
    stored = row.stored
    return {
        "name": row.name,
        "kind": row.kind,
        "about": row.about,
        "size": stored.size if stored else None,
        "compressed_size": stored.compressed if stored else None,
        "files": stored.files if stored else None,
        "distributions": stored.distributions if stored else None,
        "layers": [
            {"name": layer.name, "size": layer.size, "compressed_size": layer.compressed}
            for layer in (stored.layers if stored else ())
        ],
        "builds": _builds_as_json(row.builds),
        "running": _running_as_json(row.running),
        "findings": dict(row.findings) if row.findings is not None else None,
        "lacks": [{"what": lack.what, "reason": lack.reason, "step": lack.step} for lack in row.lacks],
    }


def _builds_as_json(builds: BuildTimes | None) -> dict[str, Any] | None:
    if builds is None:
        return None
    return {
        "cold": _spread_as_json(builds.cold),
        "unchanged": _spread_as_json(builds.unchanged),
        "changed": _spread_as_json(builds.changed),
        "sent_again": builds.sent_again,
        "reproducible": builds.reproducible,
    }


def _running_as_json(running: Running | None) -> dict[str, Any] | None:
    if running is None:
        return None
    return {
        "start": _spread_as_json(running.start),
        "memory_idle": _spread_as_json(running.idle),
        "memory_loaded": _spread_as_json(running.loaded),
        "requests_per_second": _spread_as_json(running.rate),
        "requests_per_second_is_least": running.rate_is_least,
    }


def _spread_as_json(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    return {
        "median": spread.median,
        "low": spread.low,
        "high": spread.high,
        "values": list(spread.values),
    }
