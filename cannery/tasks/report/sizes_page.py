"""A page with a map of an image."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from cannery.tasks.report.page_parts import document
from cannery.tasks.report.size_map import drawn_map, layer_boxes, lists
from cannery.tasks.report.text import human_size

if TYPE_CHECKING:
    from cannery.sizes.parts import ImageSizes

__all__ = ["page"]


def page(sizes: ImageSizes) -> str:
    """The page for an image, as HTML: the map of what is pulled, and all of it as lists."""
    total = sizes.total
    what = f"{human_size(total.size)}, {human_size(total.packed)} compressed"
    layers = layer_boxes(sizes)
    body = [
        f"<h1>{escape(sizes.name)}</h1>",
        f"<p>{escape(sizes.platform)}, {what}. Areas are compressed bytes, as they are pulled; colours are layers.</p>",
        *drawn_map(layers, total.packed),
        *lists(layers),
    ]
    return document(f"{sizes.name}: {what}", body)
