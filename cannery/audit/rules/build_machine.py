"""CAN2xx: traces of the machine that the image was built on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.audit.finding import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.contents import ImageContents

__all__ = ["RULES", "check"]

OWN = Rule(
    "CAN201",
    Severity.MEDIUM,
    "a path of the build machine in the app's code",
    "build it with cannery, or with -ffile-prefix-map and without debugging information",
)
OTHERS = Rule("CAN202", Severity.INFO, "a path of somebody's build machine in other code", "nothing: it is not yours")
RULES = (OWN, OTHERS)


def check(contents: ImageContents) -> Iterator[Finding]:
    """Paths of build folders in bytecode and ELF files."""
    for place in contents.files():
        if paths := place.node.facts.build_paths:
            own = contents.own(place.node.path)
            yield Finding(OWN if own else OTHERS, paths[0], place.node.path, place.layer, place.hidden)
