"""What a recipe asks for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.image import Base, Image
    from cannery.image.platform import Platform
    from cannery.image.tree import Decision, LazyTree

__all__ = ["Built", "Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe asks for: which trees become layers, in which order, with which configuration."""

    layers: tuple[tuple[str, LazyTree], ...]  # name and tree, from what changes rarely to what changes often
    config: Mapping[str, Any]  # the "config" part of an image's configuration
    platform: Platform
    notes: tuple[str, ...] = ()  # what the user had better know
    base: Base | None = None  # what the layers go on top of


@dataclass(frozen=True, slots=True)
class Built:
    """An image, and the names of the layers that had to be packed for it."""

    image: Image
    packed: frozenset[str]
    notes: tuple[str, ...] = ()  # of its plan
    base: Base | None = None  # whose layers come first in the image
    decisions: tuple[Decision, ...] = ()  # of its trees, in the order of the layers
