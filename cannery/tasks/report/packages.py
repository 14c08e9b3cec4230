"""The report of compiled packages: where they lie, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.tasks.report.text import human_size, shown_path, styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.recipes.packages import Cythonized

__all__ = ["PackagesReport"]


@dataclass(frozen=True, slots=True)
class PackagesReport:
    """A folder or a wheel of compiled packages."""

    made: Cythonized
    wheel: bool

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; the size is in bytes."""
        return {"path": str(self.made.path), "modules": list(self.made.modules), "size": self.made.size}

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        where = shown_path(self.made.path)
        step = f"pip install {where}" if self.wheel else f"PYTHONPATH={where} python"
        yield f"{styled(where, 'bold')}  {len(self.made.modules)} extension modules, {human_size(self.made.size)}"
        yield f"\nNext: {styled(step, 'bold')}"
