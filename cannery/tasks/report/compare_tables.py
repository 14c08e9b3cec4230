"""The tables of a comparison: the same for a terminal, for Markdown and for a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from cannery.tasks.report.text import human_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cannery.comparison.measurement import Measurement, Spread
    from cannery.recipes.comparing.compare import Compared

__all__ = ["Cell", "ComparedTable", "noted", "tables"]

_NONE = "-"
_SEVERITIES = ("critical", "high", "medium", "low", "info")

Better = Literal["less", "more"]


class Cell(NamedTuple):
    """What a table has in one place."""

    text: str
    best: bool = False  # of its column


class ComparedTable(NamedTuple):
    """A table with a row for each contender."""

    title: str
    explained: str  # what the numbers are
    columns: tuple[str, ...]  # the first is of names
    rows: tuple[tuple[Cell, ...], ...]


class _TableValue(NamedTuple):
    """A value that is known, with its text, and the least and the greatest that it may be."""

    value: float
    text: str
    low: float
    high: float


class _ComparedColumn(NamedTuple):
    title: str
    of: Callable[[Measurement], _TableValue | None]
    better: Better = "less"


def tables(found: Compared) -> Iterator[ComparedTable]:
    """The tables of what is stored, of builds, and of the running program; those without any value are left out."""
    served = found.probe.port is not None
    start = "first answer" if served else "to the end"
    yield from _filled("stored", "On disk, and compressed as it's pulled", _STORED, found)
    yield from _filled("builds", "Seconds of the command, median (lowest-highest)", _BUILDS, found)
    running = (
        _ComparedColumn(start, lambda row: _seconds(row.running.start if row.running else None)),
        *(_SERVING if served else ()),
    )
    yield from _filled("running", f"{found.probe.text}: median (lowest-highest) of {found.rounds}", running, found)


def noted(found: Compared) -> Iterator[str]:
    """What couldn't be measured and why, and what the contenders are."""
    for row in found.rows:
        if row.kind == "peer" and row.about:
            yield f"{row.name}: {row.about}"
        for lack in row.lacks:
            reason = " ".join(lack.reason.split())
            yield f"{row.name}: no {lack.what}: {reason}{f'; {lack.step}' if lack.step else ''}"
        if row.running is not None and row.running.rate_is_least:
            yield f"{row.name}: it answers faster than one process asks, so it may take more requests"


def _filled(title: str, explained: str, columns: Sequence[_ComparedColumn], found: Compared) -> Iterator[ComparedTable]:
    rows = [row for row in found.rows if any(column.of(row) for column in columns)]
    if rows:
        shown = [_cells(column, rows) for column in columns]
        names = [Cell(row.name) for row in rows]
        titles = ("", *(column.title for column in columns))
        yield ComparedTable(title, explained, titles, tuple(zip(names, *shown, strict=True)))


def _cells(column: _ComparedColumn, rows: Sequence[Measurement]) -> list[Cell]:
    """The cells of a column; best are the best value and those within its spread, unless all are."""
    known = [column.of(row) for row in rows]
    racing = [each for each, row in zip(known, rows, strict=True) if each is not None and row.kind != "reference"]
    ahead = (min if column.better == "less" else max)(racing, default=None)
    best = [each for each in racing if ahead is not None and ahead.low <= each.value <= ahead.high]
    best = best if len(best) < len(racing) else []
    return [Cell(each.text, any(each is one for one in best)) if each else Cell(_NONE) for each in known]


def _exact(value: float, text: str) -> _TableValue:
    return _TableValue(value, text, value, value)


def _bytes(value: int | None) -> _TableValue | None:
    return None if value is None else _exact(value, human_size(value))


def _count(value: int | None) -> _TableValue | None:
    return None if value is None else _exact(value, f"{value:,}")


def _spread(spread: Spread, text: str, shown: Callable[[float], str]) -> _TableValue:
    if len(spread.values) > 1:
        text += f" ({shown(spread.low)}-{shown(spread.high)})"
    return _TableValue(spread.median, text, spread.low, spread.high)


def _seconds(spread: Spread | None) -> _TableValue | None:
    if spread is None:
        return None
    digits = 1 if spread.median >= 10 else 2 if spread.median >= 1 else 3  # noqa: PLR2004
    return _spread(spread, f"{spread.median:.{digits}f} s", lambda each: f"{each:.{digits}f}")


def _memory(spread: Spread | None) -> _TableValue | None:
    if spread is None:
        return None
    unit, factor = ("GB", 1e9) if spread.median >= 1e9 else ("MB", 1e6)  # noqa: PLR2004
    return _spread(spread, f"{spread.median / factor:.1f} {unit}", lambda each: f"{each / factor:.1f}")


def _rate(row: Measurement) -> _TableValue | None:
    running = row.running
    if running is None or running.rate is None:
        return None
    least = ">" if running.rate_is_least else ""
    return _spread(running.rate, f"{least}{running.rate.median:,.0f}", lambda each: f"{each:,.0f}")


def _audit(row: Measurement) -> _TableValue | None:
    """How many findings, and how many of them fail by default; fewer bad ones come before fewer."""
    if row.findings is None:
        return None
    bad = sum(row.findings.get(severity, 0) for severity in ("critical", "high"))
    total = sum(row.findings.values())
    worst = next((severity for severity in _SEVERITIES if row.findings.get(severity)), "")
    return _exact(bad * 1e6 + total, f"{total} ({worst})" if worst else "0")


def _reproducible(row: Measurement) -> _TableValue | None:
    if row.builds is None or row.builds.reproducible is None:
        return None
    return _exact(not row.builds.reproducible, "yes" if row.builds.reproducible else "no")


_STORED = (
    _ComparedColumn("on disk", lambda row: _bytes(row.stored.size if row.stored else None)),
    _ComparedColumn("to pull", lambda row: _bytes(row.stored.compressed if row.stored else None)),
    _ComparedColumn("1 line sends", lambda row: _bytes(row.builds.sent_again if row.builds else None)),
    _ComparedColumn("files", lambda row: _count(row.stored.files if row.stored else None)),
    _ComparedColumn("packages", lambda row: _count(row.stored.distributions if row.stored else None)),
    _ComparedColumn("audit", _audit),
    _ComparedColumn("same bytes", _reproducible),
)
_BUILDS = (
    _ComparedColumn("empty cache", lambda row: _seconds(row.builds.cold if row.builds else None)),
    _ComparedColumn("nothing changed", lambda row: _seconds(row.builds.unchanged if row.builds else None)),
    _ComparedColumn("one line changed", lambda row: _seconds(row.builds.changed if row.builds else None)),
)
_SERVING = (
    _ComparedColumn("memory idle", lambda row: _memory(row.running.idle if row.running else None)),
    _ComparedColumn("after load", lambda row: _memory(row.running.loaded if row.running else None)),
    _ComparedColumn("requests/s", _rate, better="more"),
)
