"""What is larger, smaller, new or gone in an image against another, and whether that is too much."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cannery.errors import ConfigurationError, SizeError
from cannery.sizes.parts import Bytes
from cannery.workspace.eviction import bytes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.sizes.ownership import Kind
    from cannery.sizes.parts import ImageSizes

__all__ = ["Change", "SizesDifference", "check_budget", "check_growth"]

How = Literal["new", "gone", "grown", "shrunk"]

_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_MOST_NAMED: Final = 5  # of what has grown, in a message


class Change(NamedTuple):
    """Something that doesn't take what it took before, or isn't where it was."""

    owner: str
    kind: Kind
    name: str
    before: Bytes | None  # None for what is new
    after: Bytes | None  # None for what is gone

    @property
    def growth(self) -> Bytes:
        """How much it has grown; negative where it has shrunk."""
        before, after = self.before or Bytes(), self.after or Bytes()
        return Bytes(after.size - before.size, after.packed - before.packed)

    @property
    def how(self) -> How:
        """What became of it."""
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        return "grown" if self.growth.size > 0 else "shrunk"


@dataclass(frozen=True)
class SizesDifference:
    """An image against another, which is called the one before."""

    before: ImageSizes
    after: ImageSizes

    @cached_property
    def growth(self) -> Bytes:
        """How much the whole image has grown."""
        before, after = self.before.total, self.after.total
        return Bytes(after.size - before.size, after.packed - before.packed)

    @cached_property
    def owners(self) -> Mapping[str, Bytes]:
        """How much each owner has grown: those whose size has changed, what has grown most comes first."""
        grown: dict[str, Bytes] = defaultdict(Bytes)
        for change in self.changes:
            grown[change.owner] = grown[change.owner].plus(change.growth)
        return dict(sorted(grown.items(), key=lambda item: item[1].packed, reverse=True))

    @cached_property
    def versions(self) -> Mapping[str, tuple[str, str]]:
        """The versions of each owner that has another than before; empty for none."""
        before, after = ({owner.name: owner.version for owner in each.owners} for each in (self.before, self.after))
        names = dict.fromkeys((*before, *after))
        pairs = {name: (before.get(name, ""), after.get(name, "")) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """What has another size than before, unpacked; what has grown most comes first.

        How well something is compressed depends on what lies beside it, so that alone is no change.
        """
        before, after = _by_name(self.before), _by_name(self.after)
        keys = dict.fromkeys((*after, *before))
        changes = [Change(*key, before.get(key), after.get(key)) for key in keys]
        found = [each for each in changes if each.before is None or each.after is None or each.growth.size]
        return tuple(sorted(found, key=lambda change: (-change.growth.packed, change.owner, change.name)))


def check_budget(sizes: ImageSizes, budget: str | None) -> None:
    """Raise :class:`SizeError` where the image takes more than ``budget``, such as ``50MB``, to pull."""
    if budget is None or sizes.total.packed <= (most := bytes_of(budget)):
        return
    owners = sorted(sizes.owners.items(), key=lambda item: item[1].packed, reverse=True)
    raise SizeError(
        f"{sizes.name} takes {sizes.total.packed:,} bytes to pull, and the budget is {most:,}",
        evidence=_listed((str(owner), taken.packed) for owner, taken in owners),
        step="leave something out, or raise the budget:  [tool.cannery.sizes]  budget",
    )


def check_growth(found: SizesDifference, most: str | None) -> None:
    """Raise :class:`SizeError` where the image has grown by more than ``most``, such as ``1MB`` or ``5%``, to pull."""
    if most is None or found.growth.packed <= (limit := _limit(most, found.before.total.packed)):
        return
    raise SizeError(
        f"{found.after.name} has grown by {found.growth.packed:,} bytes, and {limit:,} ({most}) are allowed",
        evidence=_listed((owner, grown.packed) for owner, grown in found.owners.items() if grown.packed > 0),
        step="leave something out, or allow more:  [tool.cannery.sizes]  max-growth",
    )


def _limit(text: str, whole: int) -> int:
    if share := _SHARE.fullmatch(text.strip()):
        return int(whole * float(share[1]) / 100)
    try:
        return bytes_of(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{text!r} is no growth", step="write it as 1MB or 5%") from error


def _listed(items: Iterable[tuple[str, int]]) -> str:
    return "\n".join(f"{taken:>13,}  {name}" for name, taken in [*items][:_MOST_NAMED])


def _by_name(sizes: ImageSizes) -> dict[tuple[str, Kind, str], Bytes]:
    """The parts of an image, over all layers; versions in the names of metadata don't count."""
    found: dict[tuple[str, Kind, str], Bytes] = defaultdict(Bytes)
    for part in sizes.parts:
        name = part.name.replace(f"-{part.owner.version}.", ".", 1) if part.kind == "metadata" else part.name
        key = (part.owner.name, part.kind, name)
        found[key] = found[key].plus(part.bytes)
    return found
