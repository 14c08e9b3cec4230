"""The report of a registry that was tried: what it can, with its answers, and what follows where it can't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.image.media.registry import Registry
from cannery.tasks.report.text import Column, ruled, styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.registry.abilities import Ability
    from cannery.workspace.workspace import Workspace

__all__ = ["RegistryReport", "tried"]

_FOLLOWS: Final = {  # what is so where the registry can't
    "chunks": "a layer that is too large to be sent whole can't be pushed",
    "mount": "layers that another repository has are sent again",
    "artifacts": "no other machine builds on what was pushed, nor can anything be attached to an image",
    "tags that move": "give each push a tag of its own; other machines build on the first push alone",
    "referrers": "what is attached to an image is found by a tag",
    "delete": "what was tried is still there, under the tag cannery-check",
    "delete blobs": "blobs go when the registry collects its garbage",
}


@dataclass(frozen=True, slots=True)
class RegistryReport:
    """A repository of a registry, and what was found out there."""

    repository: str
    told: str  # who asked
    abilities: tuple[Ability, ...]

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        can = {each.name: {"can": each.there, "evidence": each.evidence} for each in self.abilities}
        return {"repository": self.repository, "asked": self.told, "abilities": can}

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        yield f"{styled(self.repository, 'bold')}  {self.told}"
        rows = [(each.name, "yes" if each.there else styled("no", "yellow"), each.evidence) for each in self.abilities]
        can = sum(each.there for each in self.abilities)
        yield from ruled((Column("what"), Column("", f"{can} of {len(rows)}"), Column("evidence")), rows)
        lacking = [each.name for each in self.abilities if not each.there]
        yield from (f"{styled('note', 'yellow')}     {name}: {_FOLLOWS[name]}" for name in lacking if name in _FOLLOWS)


def tried(repository: str, workspace: Workspace) -> RegistryReport:
    """What the registry of ``repository`` can; raises :class:`RegistryError` where nothing can be pushed to it."""
    abilities = []
    with Registry(repository, workspace.run) as registry:
        for ability in registry.abilities():
            workspace.progress(f"trying {registry.reference.registry}: {ability.name}")
            abilities.append(ability)
        where = f"{registry.reference.registry}/{registry.reference.repository}"
        return RegistryReport(where, registry.told, tuple(abilities))
