"""Passwords in tables: exports of browsers and of consoles, whose first line names the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.secrets.assignments import assigned
from cannery.secrets.names import names_a_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.secrets.kind import Secret

__all__ = ["is_table", "secrets_in_table"]

_LONGEST_HEADER: Final = 1000  # bytes
_MOST_ROWS: Final = 50


def is_table(name: str) -> bool:
    """True for the name of a table as text."""
    return name.endswith((".csv", ".tsv"))


def secrets_in_table(table: bytes) -> Iterator[tuple[Secret, int]]:
    """The secrets in columns that are named so, each with its place."""
    header, _, rows = table[: 1 << 16].partition(b"\n")
    separator = next((each for each in (b"\t", b";", b",") if each in header), b",")
    names = [_bare(cell) for cell in header[:_LONGEST_HEADER].split(separator)]
    columns = [(column, name) for column, name in enumerate(names) if names_a_secret(name)]
    place = len(header) + 1
    for row in rows.split(b"\n")[:_MOST_ROWS] if columns else ():
        cells = row.split(separator)
        for column, name in columns:
            value = _bare(cells[column]) if column < len(cells) else ""
            if (found := assigned(name, value)) is not None:
                yield found, place
        place += len(row) + 1


def _bare(cell: bytes) -> str:
    return cell.strip(b" \r\"'").decode("utf-8", "replace")
