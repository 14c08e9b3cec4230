"""Charts as SVG 1.1: drawn for a width that a phone has, each with a title and a description for who can't see it."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.tasks.report.page_parts import HUES
from cannery.tasks.report.text import human_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Bar", "Dot", "Scale", "scatter", "stacked_bars"]

_WIDTH: Final = 400  # units of a drawing
_PLOT: Final = (44, 12, 340, 240)  # x, y, width, height of what lies between the axes
_LINE: Final = 15  # units from one line of text to the next
_TICKS: Final = 5  # at most
_BAR: Final = 18  # units that a bar is high
_LETTER: Final = 7  # units that a letter takes


class Scale(NamedTuple):
    """What an axis tells."""

    title: str
    unit: str
    factor: float  # of a value to what is shown: 1e6 for megabytes


class Dot(NamedTuple):
    """A point of a scatter chart; ``y`` lies between two values."""

    name: str
    x: float
    y: float
    low: float
    high: float


class Bar(NamedTuple):
    """A bar of parts that are stacked."""

    name: str
    parts: Sequence[tuple[str, float]]  # name and bytes


def scatter(dots: Sequence[Dot], across: Scale, up: Scale, label: str) -> Iterator[str]:
    """A chart of ``dots``, both axes from zero; the range of each is a line through it."""
    left, top, width, height = _PLOT
    most_x, most_y = max(dot.x for dot in dots), max(dot.high for dot in dots)
    ticks_x, ticks_y = _ticks(most_x / across.factor), _ticks(most_y / up.factor)
    end_x, end_y = max(ticks_x[-1] * across.factor, most_x), max(ticks_y[-1] * up.factor, most_y)
    told = "; ".join(
        f"{dot.name}: {dot.x / across.factor:.1f} {across.unit}, {dot.y / up.factor:.2f} {up.unit}" for dot in dots
    )
    yield from _begin(top + height + 40, label, told)
    yield f'<path class="axis" d="M{left} {top}V{top + height}H{left + width}"/>'
    for tick in ticks_x:
        x = left + width * tick * across.factor / end_x
        yield f'<text x="{x:.1f}" y="{top + height + 16}" text-anchor="middle">{tick:g}</text>'
    for tick in ticks_y:
        y = top + height - height * tick * up.factor / end_y
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
    yield f'<text x="{left + width}" y="{top + height + 34}" text-anchor="end">{escape(across.title)}</text>'
    yield f'<text x="{left + 6}" y="{top + 4}">{escape(up.title)}</text>'
    names: list[tuple[float, float, float]] = []
    for number, dot in enumerate(sorted(dots, key=lambda dot: -dot.y)):
        x, y, high, low = (
            left + width * dot.x / end_x,
            *(top + height - height * value / end_y for value in (dot.y, dot.high, dot.low)),
        )
        yield f'<path class="range" d="M{x:.1f} {high:.1f}V{low:.1f}"/>'
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="hsl({HUES[number % len(HUES)]} 55% var(--strong))"/>'
        yield _name(dot.name, x, y, names)
    yield "</svg>"


def stacked_bars(bars: Sequence[Bar], label: str) -> Iterator[str]:
    """A bar for each, as long as its parts together; parts of one name have one colour, which the key tells."""
    hues = _hues(bars)
    most = max(sum(size for _, size in bar.parts) for bar in bars)
    told = "; ".join(
        f"{bar.name}: {', '.join(f'{name} {human_size(size)}' for name, size in bar.parts)}" for bar in bars
    )
    step = _LINE + _BAR + 8
    yield from _begin(step * len(bars), label, told)
    for number, bar in enumerate(bars):
        y, x = number * step, 0.0
        total = sum(size for _, size in bar.parts)
        yield f'<text x="0" y="{y + 12}">{escape(bar.name)} {human_size(total)}</text>'
        for name, size in bar.parts:
            width = max(_WIDTH * size / most, 0)
            yield (
                f'<rect x="{x:.1f}" y="{y + _LINE + 2}" width="{width:.1f}" height="{_BAR}" '
                f'fill="hsl({hues[name]} 55% var(--strong))"><title>{escape(name)} {human_size(size)}</title></rect>'
            )
            x += width
    yield "</svg>"
    yield "<p>Layers:" + "".join(
        f'<span class="key" style="background: hsl({hue} 55% var(--strong))"></span>{escape(name)}'
        for name, hue in hues.items()
    )
    yield "</p>"


def _begin(height: float, label: str, told: str) -> Iterable[str]:
    yield f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(f"{label}. {told}")}">'
    yield f"<title>{escape(label)}</title><desc>{escape(told)}</desc>"


def _hues(bars: Iterable[Bar]) -> Mapping[str, int]:
    names = dict.fromkeys(name for bar in bars for name, _ in bar.parts)
    return {name: HUES[number % len(HUES)] for number, name in enumerate(names)}


def _ticks(most: float) -> list[float]:
    """Round numbers from zero to just below ``most``, or one above where that is nearer."""
    rough = most / _TICKS or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(step * number, 10) for number in range(math.ceil(most / step) + 1)]


def _name(name: str, x: float, y: float, names: list[tuple[float, float, float]]) -> str:
    """The name beside a point, on the side where there's room, above or below those that are there already."""
    width = len(name) * _LETTER
    begin = x + 9 if x + 9 + width < _WIDTH else x - 9 - width
    place = y + 4
    while any(abs(place - other) < _LINE and begin < right and left < begin + width for left, right, other in names):
        place -= 1 if y > _PLOT[1] + _PLOT[3] - 2 * _LINE else -1
    names.append((begin, begin + width, place))
    return f'<text x="{begin:.1f}" y="{place:.1f}">{escape(name)}</text>'
