"""What a program is made of: a table for people, JSON for programs."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cannery.tasks.report.decisions import decisions_as_json
from cannery.tasks.report.image import human_size, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from cannery.recipes.freeze import Frozen

__all__ = ["ProgramReport"]

_SHOWN = 12  # rows of the table; the rest are one


class ProgramPart(NamedTuple):
    """Something in a program: a file, or all the modules of one top-level name."""

    name: str
    kind: str
    size: int  # bytes, before anything is compressed
    packed: int | None = None  # bytes of the program that it takes


@dataclass(frozen=True, slots=True)
class ProgramReport:
    """A program that was made, and where it went."""

    made: Frozen
    seconds: float

    def parts(self) -> list[ProgramPart]:
        """What is in it, the largest first."""
        if self.made.shares:
            return [
                ProgramPart(name, kind or _kind(name), size, packed) for name, kind, size, packed in self.made.shares
            ]
        program = self.made.program
        tops: dict[str, int] = {}
        for name, size in program.modules.items():
            top = name.partition(".")[0]
            tops[top] = tops.get(top, 0) + size
        found = [ProgramPart(name, "modules", size) for name, size in tops.items()]
        found += [ProgramPart(posixpath.basename(path), _kind(path), size) for path, size in program.files.items()]
        return sorted(found, key=lambda part: (-part.size, part.name))

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; sizes are bytes."""
        return {
            "name": self.made.app.name,
            "form": self.made.program.form,
            "path": str(self.made.path),
            "size": self.made.size,
            "digest": str(self.made.digest),
            "seconds": round(self.seconds, 3),
            "contents": [_as_json(part) for part in self.parts()],
            "notes": list(self.made.program.notes),
            "decisions": decisions_as_json(self.made.program.tree.tree.decisions),
        }

    def print(self, console: Console) -> None:
        """Print the report."""
        from rich.markup import escape  # noqa: PLC0415

        console.print(f"[bold]{escape(self.made.app.name)}[/]  {self.made.program.form}, {human_size(self.made.size)}")
        console.print(_account(self.parts()) if self.made.shares else _table(self.parts()))
        console.print(f"program  {escape(shown_path(self.made.path))}  {human_size(self.made.size)}")
        console.print(f"digest   {self.made.digest}")
        console.print(f"took     {self.seconds:.2f} s")
        for note in self.made.program.notes:
            console.print(f"[yellow]note[/]     {escape(note)}")


def _as_json(part: ProgramPart) -> dict[str, Any]:
    return {name: value for name, value in part._asdict().items() if value is not None}


def _kind(path: str) -> str:
    name = posixpath.basename(path)
    if ".so" in name:
        return "extension module" if ".cpython-" in name or ".abi3." in name else "shared library"
    return "interpreter" if name == path and name.startswith("python3") else "data"


def _table(parts: Iterable[ProgramPart]) -> Any:
    from rich import box  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    rows = list(parts)
    table = Table(box=box.SIMPLE, pad_edge=False, show_footer=True)
    table.add_column("holds, unpacked", f"{len(rows)} parts")
    table.add_column("", "")
    table.add_column("size", human_size(sum(part.size for part in rows)), justify="right")
    for part in rows[:_SHOWN]:
        table.add_row(escape(part.name), part.kind, human_size(part.size))
    if rest := rows[_SHOWN:]:
        table.add_row(f"{len(rest)} others", "", human_size(sum(part.size for part in rest)))
    return table


def _account(parts: Iterable[ProgramPart]) -> Any:
    """Every part with its bytes, which together are the program."""
    from rich import box  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    rows = list(parts)
    table = Table(box=box.SIMPLE, pad_edge=False, show_footer=True)
    table.add_column("holds", f"{len(rows)} parts")
    table.add_column("", "")
    table.add_column("unpacked", f"{sum(part.size for part in rows):,}", justify="right")
    table.add_column("in the program", f"{sum(part.packed or 0 for part in rows):,}", justify="right")
    for part in rows:
        table.add_row(escape(part.name), part.kind, f"{part.size:,}", f"{part.packed:,}")
    return table
