"""An image's configuration as whoever made it wrote it: of any type where the specification asks for one.

What is of another type is read as nothing is (OCI image-spec v1.1, config.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["list_of", "mapping_of", "text_of", "texts_of"]


def mapping_of(value: object) -> Mapping[str, Any]:
    """The object ``value``; an empty one for what is none."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> list[Any]:
    """The list ``value``; an empty one for what is none."""
    return value if isinstance(value, list) else []


def text_of(value: object) -> str:
    """The text ``value``, or the number as text; an empty one for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)


def texts_of(value: object) -> list[str]:
    """The texts in the list ``value``; a text alone is a list of one, as engines once wrote it."""
    return [value] if isinstance(value, str) else [each for each in list_of(value) if isinstance(each, str)]
