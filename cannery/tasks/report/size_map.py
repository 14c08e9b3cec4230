"""A map of an image as a drawing, and the same as lists: areas are compressed bytes, colours are layers."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.sizes.parts import Bytes, summed
from cannery.sizes.treemap import Rectangle, squarified
from cannery.tasks.report.page_parts import HUES
from cannery.tasks.report.text import human_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.sizes.parts import ImageSizes, Part

__all__ = ["SizeBox", "drawn_map", "layer_boxes", "lists"]

_WIDTH, _HEIGHT = 1200, 720  # units of the drawing
_TITLE: Final = 20  # units above what lies in an owner
_LETTER: Final = 7.2  # units that a letter takes at most
_SMALLEST: Final = 0.0001  # of the image: what takes less is drawn together
_MOST_LISTED: Final = 200  # parts of an owner in the list


class SizeBox(NamedTuple):
    """Something that is drawn, with what lies in it."""

    name: str
    taken: Bytes
    inside: Sequence[SizeBox] = ()


def layer_boxes(sizes: ImageSizes) -> list[SizeBox]:
    """The layers with their owners, and these with their parts, each the largest first."""
    found: dict[str, dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
    for part in sizes.parts:
        found[part.layer][str(part.owner)].append(part)
    return [
        SizeBox(layer, taken, _sorted(_owner(name, parts) for name, parts in found[layer].items()))
        for layer, taken in sizes.layers.items()
    ]


def _owner(name: str, parts: Sequence[Part]) -> SizeBox:
    inside = _sorted(SizeBox(part.name, part.bytes) for part in parts)
    return SizeBox(name, summed(part.bytes for part in parts), inside)


def _sorted(boxes: Iterator[SizeBox]) -> list[SizeBox]:
    return sorted(boxes, key=lambda box: (-box.taken.packed, box.name))


def drawn_map(layers: Sequence[SizeBox], total: int, smallest: float = _SMALLEST) -> Iterator[str]:
    """The drawing; what takes less than ``smallest`` of the ``total`` is drawn together."""
    label = "Map of what takes the bytes of the image"
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
    yield from _drawn_layers(layers, smallest * total)
    yield "</svg>"


def _drawn_layers(layers: Sequence[SizeBox], least: float) -> Iterator[str]:
    drawn = [layer for layer in _sorted(iter(layers)) if layer.taken.packed > 0]
    hues = {layer.name: HUES[number % len(HUES)] for number, layer in enumerate(layers)}
    places = squarified([layer.taken.packed for layer in drawn], Rectangle(0, 0, _WIDTH, _HEIGHT))
    for layer, place in zip(drawn, places, strict=True):
        yield "<g>"
        for owner, owned in _placed(layer.inside, place, least):
            yield from _drawn(owner, owned, hues[layer.name], f"{layer.name}: ", least)
        yield "</g>"


def _drawn(box: SizeBox, place: Rectangle, hue: int, before: str, least: float) -> Iterator[str]:
    """A rectangle with its name, and those of what lies in it where there's room."""
    yield _rectangle(box, place, hue, before)
    inner = Rectangle(place.x + 2, place.y + _TITLE, place.width - 4, place.height - _TITLE - 2)
    if len(box.inside) > 1 and inner.shorter > _TITLE:
        for part, laid in _placed(box.inside, inner, least):
            yield _rectangle(part, laid, hue, f"{before}{box.name}: ")
            yield from _label(part, laid)
    yield from _label(box, Rectangle(place.x, place.y, place.width, min(place.height, _TITLE)))


def _placed(boxes: Sequence[SizeBox], place: Rectangle, least: float) -> Iterator[tuple[SizeBox, Rectangle]]:
    large = [box for box in boxes if box.taken.packed >= max(least, 1)]
    rest = [box for box in boxes if 0 < box.taken.packed < max(least, 1)]
    if rest:
        large = _sorted(iter([*large, SizeBox(f"{len(rest):,} others", summed(box.taken for box in rest))]))
    if large:
        yield from zip(large, squarified([box.taken.packed for box in large], place), strict=True)


def _rectangle(box: SizeBox, place: Rectangle, hue: int, before: str) -> str:
    told = f"{before}{box.name}, {human_size(box.taken.size)}, {human_size(box.taken.packed)} compressed"
    return (
        f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{max(place.width, 0):.1f}" '
        f'height="{max(place.height, 0):.1f}" fill="hsl({hue} 55% var(--light))"><title>{escape(told)}</title></rect>'
    )


def _label(box: SizeBox, place: Rectangle) -> Iterator[str]:
    """The name, where it fits into ``place``; of a module the last part will do."""
    room = int((place.width - 8) / _LETTER)
    last = box.name.rpartition(".")[2] if ".so" not in box.name else box.name
    names = (f"{box.name} {human_size(box.taken.packed)}", box.name, last)
    if place.height >= _TITLE - 1 and (name := next((name for name in names if len(name) <= room), "")):
        yield f'<text x="{place.x + 4:.1f}" y="{place.y + 14:.1f}">{escape(name)}</text>'


def lists(layers: Sequence[SizeBox]) -> Iterator[str]:
    """All of it in tables."""
    for layer in layers:
        yield f"<h2>{escape(layer.name)}</h2><p>{human_size(layer.taken.packed)} compressed</p>"
        for owner in layer.inside:
            yield f"<details><summary>{escape(owner.name)}, {human_size(owner.taken.packed)}</summary><table>"
            yield "<thead><tr><th>what</th><th>size</th><th>compressed</th></tr></thead><tbody>"
            shown, rest = owner.inside[:_MOST_LISTED], owner.inside[_MOST_LISTED:]
            boxes = [*shown, *([SizeBox(f"{len(rest):,} others", summed(box.taken for box in rest))] if rest else [])]
            for box in boxes:
                size, packed = human_size(box.taken.size), human_size(box.taken.packed)
                yield f"<tr><td>{escape(box.name)}</td><td>{size}</td><td>{packed}</td></tr>"
            yield "</tbody></table></details>"
