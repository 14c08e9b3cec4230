"""CAN7xx: shared libraries that programs and libraries link to."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from cannery.audit.finding import Finding, Rule, Severity
from cannery.image.platform import MACHINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.audit.contents import ImageContents, PlacedNode
    from cannery.elf.dynamic import Elf

__all__ = ["RULES", "check", "links"]

MISSING = Rule("CAN701", Severity.MEDIUM, "a shared library is missing", "bring it: [tool.cannery] libraries")
OUTSIDE = Rule(
    "CAN702", Severity.LOW, "libraries are looked for in a folder that isn't there", "link with -Wl,-rpath,'$ORIGIN'"
)
FOREIGN = Rule("CAN703", Severity.HIGH, "code for another architecture", "build for the image's platform")
NO_LOADER = Rule("CAN704", Severity.HIGH, "a program whose loader is missing", "bring it, or link it statically")
LINKS = Rule("CAN705", Severity.INFO, "what it links to", "nothing")
RULES = (MISSING, OUTSIDE, FOREIGN, NO_LOADER, LINKS)

_ELF_NAMES = {machine.architecture: machine.elf for machine in MACHINES}
_NO_CODE = "EM_NONE"  # of a file that is for no processor: one that only has notes


def check(contents: ImageContents) -> Iterator[Finding]:
    """Libraries that are missing, foreign or looked for outside, and last a list of all that are linked to."""
    present = {posixpath.basename(path) for path, place in contents.visible.items() if place.node.kind != "folder"}
    machine = _ELF_NAMES.get(str(contents.config.get("architecture")))
    for path, place in sorted(contents.visible.items()):
        elf = place.node.facts.elf
        if elf is None:
            continue
        if machine and elf.machine and elf.machine not in {machine, _NO_CODE}:
            yield Finding(FOREIGN, f"{elf.machine}, and the image is for {machine}", path, place.layer)
        elif elf.links:
            yield from _problems(contents, place, elf.links, present)
    if linked := links(contents):
        yield Finding(LINKS, ", ".join(sorted(linked)))


def links(contents: ImageContents) -> Mapping[str, tuple[str, ...]]:
    """The shared libraries that anything in the image needs (DT_NEEDED), each with the paths of that name."""
    where: dict[str, list[str]] = {}
    for path in contents.visible:
        where.setdefault(posixpath.basename(path), []).append(path)
    needed = {
        soname
        for place in contents.visible.values()
        if (elf := place.node.facts.elf) and elf.links
        for soname in elf.links.needed
    }
    return {soname: tuple(sorted(where.get(soname, ()))) for soname in needed}


def _problems(contents: ImageContents, place: PlacedNode, elf: Elf, present: set[str]) -> Iterator[Finding]:
    path = place.node.path
    missing = [soname for soname in elf.needed if posixpath.basename(soname) not in present]
    if missing:
        yield Finding(MISSING, ", ".join(missing), path, place.layer)
    if elf.interpreter and contents.resolve(elf.interpreter) is None:
        yield Finding(NO_LOADER, elf.interpreter, path, place.layer)
    for folder in elf.runpath or elf.rpath:
        real = folder.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", posixpath.dirname(path))
        if not real.startswith("/"):
            yield Finding(OUTSIDE, f"{folder}: relative to wherever it is started", path, place.layer)
        elif not folder.startswith("$") and contents.resolve(posixpath.normpath(real)) is None:
            yield Finding(OUTSIDE, folder, path, place.layer)
