"""A page with all of a comparison: charts, tables, and a map of each image."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from cannery.tasks.report.charts import Bar, Dot, Scale, scatter, stacked_bars
from cannery.tasks.report.compare_tables import noted, tables
from cannery.tasks.report.page_parts import document, rows_of_table
from cannery.tasks.report.size_map import drawn_map, layer_boxes
from cannery.tasks.report.text import human_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.recipes.comparing.compare import Compared
    from cannery.sizes.parts import ImageSizes
    from cannery.tasks.report.compare_tables import Cell

__all__ = ["compare_page"]

_SMALLEST: Final = 0.002  # of an image: what takes less is drawn together, as there are many maps
_TITLES: Final = {"stored": "What is stored", "builds": "How long builds take", "running": "How it runs"}


def compare_page(found: Compared) -> str:
    """The page, as HTML."""
    title = f"{found.project}: {len(found.rows) - 1} ways to pack it"
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(found.when)}. {escape(', '.join(found.machine.values()))}.</p>",
        *_charts(found),
        *_tables(found),
        *(line for name, sizes in found.sizes.items() for line in _map(name, sizes)),
    ]
    return document(title, body)


def _charts(found: Compared) -> Iterator[str]:
    start = "first answer" if found.probe.port is not None else "time to the end"
    dots = [
        Dot(row.name, row.stored.compressed, row.running.start.median, row.running.start.low, row.running.start.high)
        for row in found.rows
        if row.stored is not None and row.running is not None
    ]
    if dots:
        yield "<h2>Size against start</h2><figure>"
        across, up = Scale("to pull, MB", "MB", 1e6), Scale(f"{start}, s", "s", 1)
        yield from scatter(dots, across, up, f"Size to pull against {start}")
        yield "<figcaption>Nearer to the lower left is better; the line through each is its range.</figcaption>"
        yield "</figure>"
    bars = [
        Bar(row.name, [(part.name, part.compressed) for part in row.stored.layers]) for row in found.rows if row.stored
    ]
    if bars:
        yield "<h2>Layers</h2><figure>"
        yield from stacked_bars(bars, "Compressed bytes of the layers")
        yield "<figcaption>Compressed bytes, as they are pulled; the table below has the numbers.</figcaption></figure>"


def _tables(found: Compared) -> Iterator[str]:
    for table in tables(found):
        yield f"<h2>{_TITLES[table.title]}</h2><p>{escape(table.explained)}</p>"
        columns = ["what", *map(escape, table.columns[1:])]
        yield from rows_of_table(_TITLES[table.title], columns, (map(_cell, row) for row in table.rows))
    yield "<p>* best of its column, or within its range</p>"
    if notes := list(noted(found)):
        yield f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>"


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    return f"<strong>{text}*</strong>" if cell.best else text


def _map(name: str, sizes: ImageSizes) -> Iterator[str]:
    total, layers = sizes.total, layer_boxes(sizes)
    what = f"{human_size(total.size)}, {human_size(total.packed)} compressed"
    label = f"What takes the bytes of {name}"
    yield f"<h2>{escape(label)}</h2><p>{what}. Areas are compressed bytes; colours are layers.</p>"
    yield f'<div class="wide" role="region" tabindex="0" aria-label="{escape(f"{label}, as a map")}">'
    yield from drawn_map(layers, total.packed, _SMALLEST)
    yield "</div><details><summary>The same as a table</summary>"
    rows = (
        (f"{escape(layer.name)}: {escape(owner.name)}", human_size(owner.taken.size), human_size(owner.taken.packed))
        for layer in layers
        for owner in layer.inside
    )
    yield from rows_of_table(label, ("what", "size", "compressed"), rows)
    yield "</details>"
