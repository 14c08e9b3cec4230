"""The reports of a workspace's members: what was packed for each, where it went, what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.tasks.report.image import ImageReport
from cannery.tasks.report.push import PushReport
from cannery.tasks.report.text import Column, human_size, ruled, shown_path, styled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.recipes.image import MadeImage
    from cannery.recipes.members import Members
    from cannery.recipes.plan import Built
    from cannery.recipes.push import PushedImage

__all__ = ["MembersReport", "PushedMembersReport"]


@dataclass(frozen=True, slots=True)
class MembersReport:
    """The images of members, and how long all of them took."""

    made: Mapping[str, MadeImage]  # by the members' folders
    members: Members
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types: those of all members."""
        members = {name: ImageReport(made, 0.0, ((),) * len(made.each)).as_json() for name, made in self.made.items()}
        return {"members": members, **_others(self.members), "seconds": round(self.seconds, 3)}

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        rows = [
            (name, _packed(made.each), human_size(made.app.archive.stat().st_size), shown_path(made.app.archive))
            for name, made in self.made.items()
        ]
        yield from ruled(
            (Column("member", f"{len(rows)} images"), Column("packed"), Column("size", right=True), Column("")), rows
        )
        yield from _ending({name: made.notes for name, made in self.made.items()}, self.members, self.seconds)


@dataclass(frozen=True, slots=True)
class PushedMembersReport:
    """The images of members that were pushed, and how long all of them took."""

    made: Mapping[str, PushedImage]  # by the members' folders
    members: Members
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types: those of all members."""
        members = {name: PushReport(made, 0.0).as_json() for name, made in self.made.items()}
        return {"members": members, **_others(self.members), "seconds": round(self.seconds, 3)}

    def lines(self) -> Iterator[str]:
        """The report in lines of text; the last ones are the references by digest."""
        sent = {name: sum(each.bytes_sent for each in made.pushed) for name, made in self.made.items()}
        rows = [(name, _packed(made.each), human_size(sent[name])) for name, made in self.made.items()]
        dry = any(made.dry for made in self.made.values())
        total = human_size(sum(sent.values()))
        columns = (
            Column("member", f"{len(rows)} images"),
            Column("packed"),
            Column("to send" if dry else "sent", total, right=True),
        )
        yield from ruled(columns, rows)
        yield from _ending({name: made.notes for name, made in self.made.items()}, self.members, self.seconds)
        yield ""
        yield from (str(each.reference) for made in self.made.values() for each in made.pushed)


def _others(members: Members) -> dict[str, list[str]]:
    return {"skipped": list(members.skipped), "unchanged": list(members.unchanged)}


def _packed(each: Iterable[Built]) -> str:
    return ", ".join(sorted({name for built in each for name in built.packed})) or styled("nothing", "dim")


def _ending(notes: Mapping[str, Iterable[str]], members: Members, seconds: float) -> Iterator[str]:
    yield f"took     {seconds:.2f} s"
    if members.unchanged:
        yield f"skipped  {', '.join(members.unchanged)}: not changed"
    if members.skipped:
        yield f"skipped  {', '.join(members.skipped)}: nothing to start"
    for name, told in notes.items():
        yield from (f"{styled('note', 'yellow')}     {name}: {note}" for note in told)
