"""What can be said of a text in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Statistics"]


@dataclass(frozen=True, slots=True)
class Statistics:
    """How long a text is, and which words it has most often."""

    letters: int
    words: int
    most_frequent: tuple[str, ...]

    def as_json(self) -> dict[str, int | list[str]]:
        """The numbers as they're sent."""
        return {**asdict(self), "most_frequent": list(self.most_frequent)}
