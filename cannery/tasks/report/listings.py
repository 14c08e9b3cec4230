"""The reports of what an engine has: containers and images, one a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.containers.engine.engine import IMAGE_LABEL, TASK_LABEL
from cannery.tasks.report.text import aligned, human_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.containers.engine.engine import EngineContainer, StoredImage

__all__ = ["ContainersReport", "ImagesReport"]

_SHORT = 12  # digits of an ID, as engines show them


@dataclass(frozen=True, slots=True)
class ContainersReport:
    """Containers that cannery started."""

    containers: Sequence[EngineContainer]

    def as_json(self) -> list[dict[str, Any]]:
        """The report in JSON's types."""
        return [
            {
                "name": each.name,
                "id": each.id,
                "image": each.image,
                "task": each.labels[TASK_LABEL],
                "status": each.status,
                "ports": ", ".join(each.ports),
            }
            for each in self.containers
        ]

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        rows = [{**row, "id": row["id"][:_SHORT]} for row in self.as_json()]
        return aligned([("name", "id", "image", "task", "status", "ports"), *(tuple(row.values()) for row in rows)])


@dataclass(frozen=True, slots=True)
class ImagesReport:
    """Images that cannery built."""

    images: Sequence[StoredImage]

    def as_json(self) -> list[dict[str, Any]]:
        """The report in JSON's types; sizes are bytes."""
        return [
            {
                "image": ", ".join(each.references) or "(untagged)",
                "id": each.id,
                "recipe": each.labels[IMAGE_LABEL],
                "size": each.size,
            }
            for each in self.images
        ]

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        rows = [{**row, "size": human_size(row["size"])} for row in self.as_json()]
        return aligned([("image", "id", "recipe", "size"), *(tuple(row.values()) for row in rows)])
