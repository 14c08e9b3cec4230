"""Figures: numbers that were measured, each beside the one that is promised; as a table, as Markdown, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from rich.table import Table

__all__ = ["BEGIN", "END", "Figure", "as_json", "as_markdown", "as_table", "between_markers", "with_part"]

BEGIN, END = "<!-- figures: made by python -m benchmarks -->", "<!-- end of figures -->"
_HEADINGS = ("what", "measured", "reach", "met", "how that comes")


@dataclass(frozen=True)
class Figure:
    """A number that was measured."""

    what: str
    value: float
    unit: str  # s, MB, ×; or what is counted
    reach: float | None = None  # the most that it may be; None where nothing is promised
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """True where the promise is kept; None where there is none."""
        return None if self.reach is None else self.value <= self.reach

    def cells(self) -> tuple[str, str, str, str, str]:
        """The figure in words, in the order of the table's headings."""
        reach = "" if self.reach is None else shown(self.reach, self.unit)
        met = {None: "", True: "yes", False: "no"}[self.met]
        return self.what, shown(self.value, self.unit), reach, met, self.detail


def shown(value: float, unit: str) -> str:
    """``1.25 ×``, ``0.21 s``, ``104.2 MB``, ``1 digest``."""
    digits = {"s": 2, "×": 2, "MB": 1, "kB": 1}.get(unit, 0)
    return f"{value:,.{digits}f} {unit}"


def as_table(figures: Sequence[Figure], machine: Mapping[str, str]) -> Table:
    """A table for a terminal."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE, pad_edge=False, caption=", ".join(machine.values()))
    for heading, justify in zip(_HEADINGS, ("left", "right", "right", "left", "left"), strict=True):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for figure in figures:
        table.add_row(*figure.cells(), style="red" if figure.met is False else "")
    return table


def as_markdown(name: str, day: date, figures: Sequence[Figure], machine: Mapping[str, str]) -> str:
    """What the benchmark ``name`` measured as a table for the documentation, below the day and the machine."""
    rows = [_HEADINGS, ("---", "---:", "---:", "---", "---"), *(figure.cells() for figure in figures)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"**{name}**, {day.isoformat()}: {', '.join(machine.values())}.\n\n{table}"


def as_json(figures: Sequence[Figure], machine: Mapping[str, str]) -> dict[str, Any]:
    """The figures and the machine in JSON's types."""
    return {"machine": dict(machine), "figures": [{**asdict(figure), "met": figure.met} for figure in figures]}


def with_part(document: str, name: str, text: str, last: str = END) -> str:
    """``document`` with ``text`` as the part called ``name``: in place of that part, else before ``last``."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if begin not in document:
        document = document.replace(last, f"{begin}\n\n{end}\n\n{last}")
    return between_markers(document, text, begin, end)


def between_markers(document: str, text: str, begin: str = BEGIN, end: str = END) -> str:
    """``document`` with ``text`` in place of what stands between the markers; raises ValueError without them."""
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"it lacks the lines {begin!r} and {end!r}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"
