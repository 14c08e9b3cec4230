"""Rectangles whose areas are in proportion to numbers, as near to squares as they can be laid.

The layout is the squarified one (Bruls, Huizing and van Wijk, Squarified Treemaps, 2000): rows are filled along the
shorter side for as long as their rectangles get no longer and thinner by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Rectangle", "squarified"]


class Rectangle(NamedTuple):
    """A rectangle on a plane, by its corner and its sides."""

    x: float
    y: float
    width: float
    height: float

    @property
    def shorter(self) -> float:
        """The length of the shorter side."""
        return min(self.width, self.height)


def squarified(weights: Sequence[float], inside: Rectangle) -> Iterator[Rectangle]:
    """A rectangle for each of ``weights``, which are positive and sorted, the largest first; together they fill one."""
    left = inside.width * inside.height
    total = sum(weights)
    areas = [weight * left / total for weight in weights]
    while areas:
        count = _fitting(areas, inside.shorter)
        row, areas = areas[:count], areas[count:]
        yield from _laid(row, inside)
        inside = _without(inside, sum(row))


def _fitting(areas: Sequence[float], side: float) -> int:
    """How many of ``areas`` a row along ``side`` takes before its longest rectangle gets longer."""
    count, best = 1, _longest(areas[:1], side)
    while count < len(areas) and (next_one := _longest(areas[: count + 1], side)) <= best:
        count, best = count + 1, next_one
    return count


def _longest(row: Sequence[float], side: float) -> float:
    """How long the longest rectangle of a row is, in its own widths."""
    total = sum(row)
    return max(side * side * max(row) / total**2, total**2 / (side * side * min(row)))


def _laid(row: Sequence[float], inside: Rectangle) -> Iterator[Rectangle]:
    """The rectangles of a row, along the shorter side."""
    total = sum(row)
    x, y = inside.x, inside.y
    for area in row:
        if inside.width >= inside.height:
            thick = total / inside.height
            yield Rectangle(x, y, thick, area / thick)
            y += area / thick
        else:
            thick = total / inside.width
            yield Rectangle(x, y, area / thick, thick)
            x += area / thick


def _without(inside: Rectangle, area: float) -> Rectangle:
    """What is left of a rectangle when a row of that area is taken from it."""
    if inside.width >= inside.height:
        thick = min(area / inside.height, inside.width)
        return Rectangle(inside.x + thick, inside.y, inside.width - thick, inside.height)
    thick = min(area / inside.width, inside.height)
    return Rectangle(inside.x, inside.y + thick, inside.width, inside.height - thick)
