"""The report of a build by an engine's own builder."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.recipes.dockerfile.render import BY_CANNERY
from cannery.tasks.report.found import found_as_json, found_lines
from cannery.tasks.report.text import human_size
from cannery.workspace.invocation import program_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.recipes.dockerfile.build import DockerBuild

__all__ = ["DockerBuildReport"]

_NO_BILL: Final = "an engine's builder puts no bill of materials into the image; what is in it says"


@dataclass(frozen=True, slots=True)
class DockerBuildReport:
    """An image that was built from the recipe's Dockerfile, and how long that took."""

    built: DockerBuild
    seconds: float

    @property
    def _notes(self) -> tuple[str, ...]:
        """What the user had better know."""
        settings = self.built.app.settings
        if not settings.sbom or settings.recipe in BY_CANNERY:
            return self.built.notes
        listing = shlex.join([*program_name().split(), "sbom", "--image", self.built.references[0]])
        return (*self.built.notes, f"{_NO_BILL}: {listing}")

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; the size is in bytes."""
        built = self.built
        return {
            "name": built.app.name,
            "references": list(built.references),
            "recipe": built.app.settings.recipe,
            "builder": built.client,
            "id": built.id,
            "size": built.size,
            "found": found_as_json(built.app.found),
            "seconds": round(self.seconds, 3),
            "notes": list(self._notes),
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        built = self.built
        program = ["podman"] if built.app.settings.engine == "podman" else ["docker"]
        program += ["--context", built.context] if built.context else []
        yield f"\n{built.references[0]}  {built.app.settings.recipe}, built by {built.client}"
        yield from found_lines(built.app.found)
        yield f"id       {built.id}"
        yield f"size     {human_size(built.size)}"
        yield f"took     {self.seconds:.2f} s"
        yield from (f"note     {note}" for note in self._notes)
        yield f"\nNext: {shlex.join([*program, 'run', '--rm', *built.references])}"
