"""The reports of ``invoke sizes``: an image as a tree of what takes its bytes, and an image against another."""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cannery.sizes.parts import Bytes, summed
from cannery.tasks.report.text import Column, aligned, human_size, ruled, styled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cannery.sizes.difference import Change, SizesDifference
    from cannery.sizes.ownership import Owner
    from cannery.sizes.parts import ImageSizes, Part

__all__ = ["DifferenceReport", "SizesReport"]

_SMALL: Final = 0.01  # of the image: what takes less is not shown by itself
_PARTS: Final = 3  # of an owner, shown by themselves
_OWNERS: Final = 12  # of a difference
_CHANGES: Final = 8
_LONGEST: Final = 44  # characters of a name
_SHORTEST: Final = 16  # the same, on a narrow terminal
_BESIDE: Final = 40  # columns that a table has besides


@dataclass(frozen=True, slots=True)
class SizesReport:
    """What takes the bytes of an image."""

    sizes: ImageSizes
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # module -> the way to it from the start
    everything: bool = False

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; sizes are bytes."""
        total = self.sizes.total
        return {
            "name": self.sizes.name,
            "platform": self.sizes.platform,
            "size": total.size,
            "compressed_size": total.packed,
            "layers": [{"name": name, **_as_json(taken)} for name, taken in self.sizes.layers.items()],
            "owners": [
                {"name": owner.name, "version": owner.version or None, **_as_json(taken)}
                for owner, taken in _largest(self.sizes.owners.items())
            ],
            "parts": [self._part_as_json(part) for part in self.sizes.parts],
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        total = self.sizes.total
        yield (
            f"{styled(self.sizes.name, 'bold')}  {self.sizes.platform}, {human_size(total.size)}, "
            f"{human_size(total.packed)} compressed"
        )
        columns = [
            Column("what", f"{len(self.sizes.parts):,} parts"), Column("size", human_size(total.size), right=True),
            Column("compressed", human_size(total.packed), right=True), Column("", "100.0 %", right=True),
        ]  # fmt: skip
        yield from ruled(columns, self._rows())
        if self.reasons:
            yield from aligned(self._ways())

    def _part_as_json(self, part: Part) -> dict[str, Any]:
        owner = part.owner
        found = {
            "layer": part.layer, "owner": owner.name, "version": owner.version or None,
            "kind": part.kind, "name": part.name, **_as_json(part.bytes),
        }  # fmt: skip
        return {**found, "why": list(self.reasons.get(part.name, ()))} if self.reasons else found

    def _ways(self) -> Iterator[Sequence[str]]:
        """Each distribution, with the shortest way from the program's start to one of its modules."""
        modules: dict[Owner, list[str]] = defaultdict(list)
        for part in self.sizes.parts:
            if part.owner.version and part.name in self.reasons:
                modules[part.owner].append(part.name)
        for owner, _ in _largest(self.sizes.owners.items()):
            ways = sorted(self.reasons[name] for name in modules[owner])
            shortest = min(map(len, ways), default=0)
            if way := next((way for way in ways if len(way) == shortest), ()):
                yield owner.name, " > ".join(way)

    def _rows(self) -> Iterator[Sequence[str]]:
        by_layer: dict[str, dict[Owner, list[Part]]] = defaultdict(lambda: defaultdict(list))
        for part in self.sizes.parts:
            by_layer[part.layer][part.owner].append(part)
        for layer, taken in self.sizes.layers.items():
            yield self._row(layer, taken, 0)
            owners = {owner: summed(part.bytes for part in parts) for owner, parts in by_layer[layer].items()}
            shown, rest = self._shown(_largest(owners.items()), None)
            for owner, owned in shown:
                yield self._row(str(owner), owned, 1)
                yield from self._parts(by_layer[layer][owner])
            yield from self._rest(rest, 1, "others" if shown else "parts")

    def _parts(self, parts: Sequence[Part]) -> Iterator[Sequence[str]]:
        named = _largest((f"{part.name}{_told(part)}", part.bytes) for part in parts)
        shown, rest = self._shown(named, _PARTS)
        if shown and len(parts) > 1:
            yield from (self._row(name, taken, 2) for name, taken in shown)
            yield from self._rest(rest, 2, "others")

    def _shown(self, items: Sequence[Any], most: int | None) -> tuple[Sequence[Any], Sequence[Any]]:
        """What is shown by itself, and the rest; of one that would be all that is left out, there's no rest."""
        if self.everything:
            return items, ()
        large = [item for item in items if item[1].packed >= _SMALL * self.sizes.total.packed][:most]
        large = large if len(items) - len(large) > 1 else [*items]
        return large, items[len(large) :]

    def _rest(self, rest: Sequence[tuple[object, Bytes]], depth: int, noun: str) -> Iterator[Sequence[str]]:
        if rest:
            yield self._row(f"{len(rest):,} {noun}", summed(taken for _, taken in rest), depth)

    def _row(self, name: str, taken: Bytes, depth: int) -> Sequence[str]:
        share = 100 * taken.packed / max(self.sizes.total.packed, 1)
        size, packed = human_size(taken.size), human_size(taken.packed)
        return (f"{'  ' * depth}{_short(name)}", size, packed, f"{share:.1f} %")


@dataclass(frozen=True, slots=True)
class DifferenceReport:
    """An image against another."""

    found: SizesDifference
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # module -> the way to it from the start
    everything: bool = False

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; sizes are bytes, of what is gone or was not there null."""
        before, after = self.found.before, self.found.after
        return {
            "before": {"name": before.name, "platform": before.platform, **_as_json(before.total)},
            "after": {"name": after.name, "platform": after.platform, **_as_json(after.total)},
            "growth": _as_json(self.found.growth),
            "versions": {name: list(pair) for name, pair in self.found.versions.items()},
            "changes": [self._change_as_json(each) for each in self.found.changes],
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        before, after = self.found.before, self.found.after
        yield f"{styled(after.name, 'bold')} against {before.name}"
        yield f"compressed  {_compared(before.total.packed, after.total.packed)}"
        yield f"size        {_compared(before.total.size, after.total.size)}"
        if not self.found.changes:
            yield "nothing in it has another size"
            return
        total = self.found.growth
        columns = (
            Column("what", f"{len(self.found.changes):,} changes"),
            Column("size", _signed(total.size), right=True),
            Column("compressed", _signed(total.packed), right=True),
            Column(""),
        )
        yield from ruled(columns, self._rows())

    def _rows(self) -> Iterator[Sequence[str]]:
        for owner, grown in [*self.found.owners.items()][: None if self.everything else _OWNERS]:
            yield owner, _signed(grown.size), _signed(grown.packed), self._version(owner)
            changes = [change for change in self.found.changes if change.owner == owner]
            changes.sort(key=lambda change: abs(change.growth.size), reverse=True)
            shown = changes if self.everything else changes[:_CHANGES]
            yield from (self._row(change) for change in shown)
            if rest := changes[len(shown) :]:
                others = summed(change.growth for change in rest)
                yield f"  {len(rest):,} others", _signed(others.size), _signed(others.packed), ""

    def _row(self, change: Change) -> Sequence[str]:
        way = self.reasons.get(change.name, ())
        because = f", by {' > '.join(way)}" if change.how == "new" and len(way) > 1 else ""
        grown = change.growth
        return f"  {_short(change.name)}", _signed(grown.size), _signed(grown.packed), f"{change.how}{because}"

    def _version(self, owner: str) -> str:
        before, after = self.found.versions.get(owner, ("", ""))
        return f"{before or 'not there'} -> {after or 'gone'}" if (before, after) != ("", "") else ""

    def _change_as_json(self, change: Change) -> dict[str, Any]:
        sides = (("before", change.before), ("after", change.after))
        found: dict[str, Any] = {"owner": change.owner, "kind": change.kind, "name": change.name, "how": change.how}
        found |= {side: _as_json(taken) if taken else None for side, taken in sides}
        return {**found, "why": list(self.reasons.get(change.name, ()))} if self.reasons else found


def _as_json(taken: Bytes) -> dict[str, int]:
    """Bytes by the names that they have in the report of a build, too."""
    return {"size": taken.size, "compressed_size": taken.packed}


def _largest(items: Iterable[tuple[Any, Bytes]]) -> list[tuple[Any, Bytes]]:
    return sorted(items, key=lambda item: (-item[1].packed, str(item[0])))


def _told(part: Part) -> str:
    return "" if part.kind in {"module", "data", "metadata"} else f" ({part.kind})"


def _short(name: str) -> str:
    """The end of a long name, so that the table fits the terminal."""
    columns = shutil.get_terminal_size((_BESIDE + _LONGEST, 0)).columns
    longest = max(_SHORTEST, min(_LONGEST, columns - _BESIDE))
    if len(name) > longest:
        name = name.partition(" (")[0]  # less of which kind it is
    return name if len(name) <= longest else f"…{name[1 - longest :]}"


def _signed(count: int) -> str:
    return f"{'-' if count < 0 else '+'}{human_size(abs(count))}"


def _compared(before: int, after: int) -> str:
    share = f" ({100 * (after - before) / before:+.1f} %)" if before else ""
    return f"{human_size(before)} -> {human_size(after)}, {_signed(after - before)}{share}"
