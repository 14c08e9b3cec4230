"""The report of a program: what it is made of, in a table, and where it went."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cannery.python.program_names import is_python
from cannery.tasks.report.decisions import decision_lines, decisions_as_json
from cannery.tasks.report.found import commands_as_json, found_as_json, found_lines
from cannery.tasks.report.text import Column, human_size, ruled, shown_path, styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.executable.static.snapshot import Snapshot
    from cannery.recipes.freeze import Frozen

__all__ = ["ProgramReport"]

_SHOWN: Final = 12  # rows of the table; the rest are one


class ProgramPart(NamedTuple):
    """Something in a program: a file, or all the modules of one top-level name."""

    name: str
    kind: str
    size: int  # bytes, before anything is compressed
    packed: int | None = None  # bytes of the program that it takes


@dataclass(frozen=True, slots=True)
class ProgramReport:
    """A program that was made, its place, and how long that took."""

    made: Frozen
    seconds: float
    explain: bool = False  # with the decisions on files

    def parts(self) -> list[ProgramPart]:
        """The parts of the program, the largest first."""
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
            "found": found_as_json(self.made.app.found),
            "commands": commands_as_json(self.made.app),
            "seconds": round(self.seconds, 3),
            "contents": [_as_json(part) for part in self.parts()],
            "notes": list(self.made.program.notes),
            **_snapshot_as_json(self.made.program.snapshot),
            "decisions": decisions_as_json(self.made.program.tree.tree.decisions),
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        program, size = self.made.program, human_size(self.made.size)
        yield f"{styled(self.made.app.name, 'bold')}  {program.form}, {size}"
        yield from _account(self.parts()) if self.made.shares else _table(self.parts())
        yield f"program  {shown_path(self.made.path)}  {size}"
        if commands := commands_as_json(self.made.app):
            yield f"commands {', '.join(commands)}: it runs the one that a link to it is called by"
        yield from found_lines(self.made.app.found)
        if program.snapshot:
            yield from _snapshot_lines(program.snapshot)
        yield f"digest   {self.made.digest}"
        yield f"took     {self.seconds:.2f} s"
        yield from (f"{styled('note', 'yellow')}     {note}" for note in program.notes)
        if self.explain:
            yield from decision_lines(program.tree.tree.decisions)


def _as_json(part: ProgramPart) -> dict[str, Any]:
    return {name: value for name, value in part._asdict().items() if value is not None}


def _snapshot_as_json(snapshot: Snapshot | None) -> dict[str, Any]:
    if snapshot is None:
        return {}
    told = {"modules": snapshot.modules, "late": snapshot.late, "assumed": snapshot.assumed}
    return {"snapshot": {**told, "milliseconds": snapshot.milliseconds}}


def _snapshot_lines(snapshot: Snapshot) -> Iterator[str]:
    """How many modules a process has when it starts, and which it imports then."""
    costs = snapshot.milliseconds
    late = f"{len(snapshot.late)} are imported when it starts"
    took = f" ({sum(costs.values()):.1f} ms)" if costs else ""
    yield f"snapshot {len(snapshot.modules)} modules are in memory, {late}{took}"
    for name, why in sorted(snapshot.late.items()):
        yield f"         {name}: it {why}" + (f" ({costs[name]:.1f} ms)" if name in costs else "")
    if snapshot.assumed:
        yield f"         an ordinary start without {'; '.join(snapshot.assumed)}"


def _kind(path: str) -> str:
    name = posixpath.basename(path)
    if ".so" in name:
        return "extension module" if ".cpython-" in name or ".abi3." in name else "shared library"
    return "interpreter" if name == path and is_python(name) else "data"


def _table(parts: Sequence[ProgramPart]) -> Iterator[str]:
    """The largest parts, one a line, and the rest in one."""
    rows = [(part.name, part.kind, human_size(part.size)) for part in parts[:_SHOWN]]
    if rest := parts[_SHOWN:]:
        rows.append((f"{len(rest)} others", "", human_size(sum(part.size for part in rest))))
    total = human_size(sum(part.size for part in parts))
    return ruled(
        (Column("holds, unpacked", f"{len(parts)} parts"), Column(""), Column("size", total, right=True)), rows
    )


def _account(parts: Sequence[ProgramPart]) -> Iterator[str]:
    """Every part with its bytes, whose sum is the program's size."""
    unpacked, packed = sum(part.size for part in parts), sum(part.packed or 0 for part in parts)
    columns = (
        Column("holds", f"{len(parts)} parts"), Column(""), Column("unpacked", f"{unpacked:,}", right=True),
        Column("in the program", f"{packed:,}", right=True),
    )  # fmt: skip
    return ruled(columns, [(part.name, part.kind, f"{part.size:,}", f"{part.packed:,}") for part in parts])
