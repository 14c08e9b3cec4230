"""The values on the way through a recipe: the plan that it makes, and the image that is built by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cannery.bom.assembled import PlannedContents
    from cannery.image.image import Base, Image
    from cannery.image.platform import Platform
    from cannery.image.tree import Decision, LazyTree
    from cannery.project.app import App

__all__ = ["Built", "LazyContents", "Plan"]


class LazyContents(msgspec.Struct, frozen=True):
    """What a recipe knows of an image's contents; it's put together only when somebody asks, and known by a key."""

    key: str
    make: Callable[[], PlannedContents]


class Plan(msgspec.Struct, frozen=True):
    """An image as a recipe wants it: the trees that become layers, in their order, and the configuration."""

    app: App  # with what its dependencies decide about its start
    layers: tuple[tuple[str, LazyTree], ...]  # name and tree, from what changes rarely to what changes often
    config: Mapping[str, Any]  # the "config" part of an image's configuration
    platform: Platform
    notes: tuple[str, ...] = ()  # what the user had better know
    base: Base | None = None  # the image below the layers
    contents: LazyContents | None = None


class Built(msgspec.Struct, frozen=True):
    """An image that was built."""

    app: App
    image: Image
    packed: frozenset[str]  # the names of the layers that had to be packed for it
    notes: tuple[str, ...] = ()  # of its plan
    base: Base | None = None  # whose layers come first in the image
    decisions: tuple[Decision, ...] = ()  # of its trees, in the order of the layers
    contents: LazyContents | None = None  # of its plan
