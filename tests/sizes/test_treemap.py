"""Rectangles of a map have the areas that they should, and don't overlap."""

from __future__ import annotations

import pytest

from cannery.sizes.treemap import Rectangle, squarified

pytestmark = pytest.mark.once

INSIDE = Rectangle(10, 20, 600, 400)


@pytest.mark.parametrize("weights", [[1], [6, 6, 4, 3, 2, 2, 1], [1000, 1, 1], [1] * 97])
def test_areas_are_in_proportion_and_fill_the_whole(weights: list[float]) -> None:
    found = [*squarified(weights, INSIDE)]
    areas = [each.width * each.height for each in found]
    assert areas == pytest.approx([600 * 400 * weight / sum(weights) for weight in weights])
    for each in found:
        assert each.x >= INSIDE.x - 1e-6
        assert each.y >= INSIDE.y - 1e-6
        assert each.x + each.width <= 610 + 1e-6
        assert each.y + each.height <= 420 + 1e-6


def test_no_two_overlap() -> None:
    found = [*squarified([6, 6, 4, 3, 2, 2, 1], INSIDE)]
    for number, one in enumerate(found):
        for other in found[number + 1 :]:
            apart = one.x + one.width <= other.x + 1e-6 or other.x + other.width <= one.x + 1e-6
            below = one.y + one.height <= other.y + 1e-6 or other.y + other.height <= one.y + 1e-6
            assert apart or below


def test_they_are_near_to_squares() -> None:
    """The example of the paper: no rectangle is longer than three times its width."""
    found = squarified([6, 6, 4, 3, 2, 2, 1], Rectangle(0, 0, 6, 4))
    assert max(max(each.width, each.height) / each.shorter for each in found) < 3
