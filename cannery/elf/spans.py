"""Ranges of a file, added to and taken from one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Span", "merged", "subtracted"]


class Span(NamedTuple):
    """The bytes from ``start`` up to and without ``stop``."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.stop - self.start

    @classmethod
    def sized(cls, start: int, size: int) -> Span:
        """The ``size`` bytes from ``start``."""
        return cls(start, start + size)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same bytes in as few spans as possible, in order."""
    result: list[Span] = []
    for span in sorted(span for span in spans if span.size > 0):
        if result and span.start <= result[-1].stop:
            result[-1] = Span(result[-1].start, max(result[-1].stop, span.stop))
        else:
            result.append(span)
    return result


def subtracted(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """The bytes of ``spans`` that are in none of ``others``; both must be merged."""
    rest = list(spans)
    for other in others:
        rest = [
            part
            for span in rest
            for part in (Span(span.start, min(span.stop, other.start)), Span(max(span.start, other.stop), span.stop))
            if part.size > 0
        ]
    return rest
