"""Text for people: words that stand out on a terminal, tables in aligned columns, sizes and paths in short."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Column", "aligned", "human_size", "ruled", "shown_path", "styled"]

# SGR parameters (ECMA-48, 8.3.117)
_STYLES: Final = {"bold": 1, "dim": 2, "yellow": 33}
_STYLING: Final = re.compile(r"\033\[\d+m")
_BETWEEN: Final = "   "  # columns
_WIDE: Final = 60  # a cell that is wider moves the rest of its own line, and of no other


class Column(NamedTuple):
    """A column of a table."""

    title: str
    total: str = ""  # in the last line
    right: bool = False  # set flush right, as numbers are


def styled(text: str, style: Literal["bold", "dim", "yellow"]) -> str:
    """``text`` so that it stands out on standard output, where that is a terminal and NO_COLOR isn't set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else f"\033[{_STYLES[style]}m{text}\033[0m"


def ruled(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table with titles, ``rows`` and totals, and a rule between them."""
    titles, *middle, totals = aligned(
        [[column.title for column in columns], *rows, [column.total for column in columns]],
        right=[number for number, column in enumerate(columns) if column.right],
        between=_BETWEEN,
    )
    utf = (sys.stdout.encoding or "").lower().startswith("utf")
    rule = ("─" if utf else "-") * max(map(_width, (titles, *middle, totals)))
    yield from ("", *(f" {line}" for line in (titles, rule, *middle, rule, totals)), "")


def aligned(rows: Iterable[Sequence[str]], *, right: Iterable[int] = (), between: str = "  ") -> Iterator[str]:
    """The ``rows`` as lines whose cells stand below one another; the columns ``right`` are set flush right."""
    cells = [[cell.replace("\n", "\\n") for cell in row] for row in rows]
    columns = ([_width(cell) for cell in column] for column in zip(*cells, strict=True))
    widths = [max((width for width in column if width <= _WIDE), default=0) for column in columns]
    flush = set(right)
    for row in cells:
        padded = [
            f"{' ' * (width - _width(cell))}{cell}" if number in flush else f"{cell}{' ' * (width - _width(cell))}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield between.join(padded).rstrip()


def human_size(size: float) -> str:
    """``12.3 MB``; a megabyte is a million bytes, as registries and disks count."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"


def shown_path(path: Path) -> str:
    """``path`` as short as it can be written from here."""
    here = path.__class__.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _width(text: str) -> int:
    """How many columns of a terminal ``text`` takes; East Asian characters take two (Unicode, UAX #11)."""
    bare = _STYLING.sub("", text)
    if bare.isascii():
        return len(bare)
    from unicodedata import east_asian_width  # noqa: PLC0415

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in bare)
