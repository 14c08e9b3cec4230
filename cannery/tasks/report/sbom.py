"""The report of ``invoke sbom``: what is in an image, one thing a line."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.tasks.report.text import Column, ruled, styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.bom.inventory import Inventory, Item

__all__ = ["InventoryReport"]

_LONGEST: Final = 40  # characters of a licence or an origin
_WIDE: Final = 140  # columns that the whole table takes
_NARROW: Final = (0, 1, 2, 5)  # columns of the table on a terminal that is less wide


@dataclass(frozen=True, slots=True)
class InventoryReport:
    """What is in an image."""

    inventory: Inventory

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        return asdict(self.inventory)

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        found = self.inventory
        told = filter(None, (found.version, found.platform, found.system))
        yield f"{styled(found.name, 'bold')}  {', '.join(told)}"
        columns = [
            Column("what", f"{len(found.items):,} in all"),
            Column("name"),
            Column("version"),
            Column("licence"),
            Column("from"),
            Column("left out", right=True),
        ]
        wide = shutil.get_terminal_size((_WIDE, 0)).columns >= _WIDE
        kept = range(len(columns)) if wide else _NARROW
        yield from ruled([columns[at] for at in kept], ([_row(item)[at] for at in kept] for item in found.items))
        if any(item.left_out for item in found.items):
            yield "left out: modules that are not in the image, a package and all below it counted as one"


def _row(item: Item) -> tuple[str, ...]:
    left_out = f"{len(item.left_out):,}" if item.left_out else ""
    return item.kind, item.name, item.version, _short(item.licence), _short(item.origin), left_out


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
