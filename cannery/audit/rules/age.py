"""CAN8xx: versions of what is in an image, and those that are known to be old.

The dates are in ``support.toml``, each table with its source. A distribution may mend a release for longer than its
makers do; a file doesn't tell of that, so these rules warn, and close no gate by themselves.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cannery.audit.finding import Finding, Rule, Severity
from cannery.workspace.keys import package_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.audit.contents import ImageContents
    from cannery.elf.components import Component

__all__ = ["RULES", "check", "components_in"]

ENDED = Rule(
    "CAN801",
    Severity.MEDIUM,
    "a version that its makers no longer support",
    "take a newer one, unless a distribution still fixes it",
)
OLD = Rule(
    "CAN802", Severity.LOW, "its source is older than a year", "take a newer release: faults have been fixed since"
)
VERSIONS = Rule("CAN803", Severity.INFO, "the versions in it", "nothing")
RULES = (ENDED, OLD, VERSIONS)

_YEAR: Final = timedelta(days=365)
_DATES: Final = package_file("audit/rules/support.toml")


def check(contents: ImageContents) -> Iterator[Finding]:
    """Versions without support, versions that are old, and last a list of all."""
    found = components_in(contents)
    today = datetime.now(UTC).date()
    for component, paths in found.items():
        layer = contents.visible[paths[0]].layer
        ended = _ended(component)
        changed = _changed(component)
        if ended is not None and ended < today:
            yield Finding(ENDED, f"{component}: that ended on {ended}", paths[0], layer)
        if changed is not None and today - changed > _YEAR:
            yield Finding(OLD, f"{component} is of {changed}", paths[0], layer)
    if found:
        yield Finding(VERSIONS, ", ".join(map(str, found)))


def components_in(contents: ImageContents) -> Mapping[Component, tuple[str, ...]]:
    """What a container sees that is known by name and version, with the paths of the files that say so."""
    where: defaultdict[Component, list[str]] = defaultdict(list)
    for path, place in sorted(contents.visible.items()):
        for component in place.node.facts.components:
            where[component].append(path)
    return {component: tuple(paths) for component, paths in sorted(where.items())}


def _ended(component: Component) -> date | None:
    """The day on which the support of its version line ended, or will; None where that isn't known."""
    lines: Mapping[str, date] = _dates().get(component.name, {}).get("ends", {})
    return lines.get(".".join(component.version.split(".")[:2]))


def _changed(component: Component) -> date | None:
    """The day that its source is of; None where neither the file nor the table says."""
    if component.changed:
        return date.fromisoformat(component.changed)
    releases: Mapping[str, date] = _dates().get(component.name, {}).get("releases", {})
    return releases.get(component.version.removesuffix("+"))


@cache
def _dates() -> Mapping[str, Any]:
    return tomllib.loads(_DATES.read_text(encoding="utf-8"))
