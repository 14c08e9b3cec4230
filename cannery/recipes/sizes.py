"""From an app, or the name of an image, to what takes its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cannery.image.image import CREATED_BY
from cannery.project.app import HOME
from cannery.recipes.any_image import pulled_image
from cannery.recipes.build import build
from cannery.sizes.known_files import known_files
from cannery.sizes.parts import sizes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.containers.engine.discovery import Choice
    from cannery.image.image import Base, Image
    from cannery.image.platform import Platform
    from cannery.project.app import App
    from cannery.recipes.plan import Built
    from cannery.sizes.parts import ImageSizes
    from cannery.workspace.workspace import Workspace

__all__ = ["layer_names", "sizes_of_app", "sizes_of_built", "sizes_of_image"]


def sizes_of_app(app: App, workspace: Workspace) -> ImageSizes:
    """What takes the bytes of the image of ``app``, which is built where something has changed."""
    return sizes_of_built(build(app, workspace), workspace)


def sizes_of_built(built: Built, workspace: Workspace) -> ImageSizes:
    """What takes the bytes of an image that was built."""
    return _sizes(built.app.references[0], built.image, workspace)


def sizes_of_image(name: str, engine: Choice, platform: Platform | None, workspace: Workspace) -> ImageSizes:
    """What takes the bytes of the image called ``name``, for ``platform`` or this machine's.

    It is found by :func:`cannery.recipes.any_image.opened_image`.
    """
    return _sizes(name, pulled_image(name, engine, platform, workspace), workspace)


def _sizes(name: str, image: Image | Base, workspace: Workspace) -> ImageSizes:
    layers = dict(zip(layer_names(image.config, len(image.layers)), image.layers, strict=True))
    files = {each: known_files(layer, each, workspace) for each, layer in layers.items()}
    return sizes_of(name, str(image.platform), files, _home(image.config))


def layer_names(config: Mapping[str, Any], count: int) -> list[str]:
    """The names of an image's ``count`` layers, no two the same: those that cannery gave them, a number for others.

    Where an image that cannery made is the base of another, both have an "app": those are numbered, too.
    """
    history = [entry for entry in config.get("history") or [] if not entry.get("empty_layer")]
    made = [str(entry.get("created_by") or "") for entry in history]
    made = made if len(made) == count else [""] * count
    names = [_name(number, text) for number, text in enumerate(made, 1)]
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names, 1)]


def _name(number: int, made_by: str) -> str:
    return made_by.removeprefix(CREATED_BY) if made_by.startswith(CREATED_BY) else f"layer {number}"


def _home(config: Mapping[str, Any]) -> str:
    """The folder of the app: the one that a container starts in, unless that is the root."""
    folder = str((config.get("config") or {}).get("WorkingDir") or HOME)
    return str(HOME) if folder == "/" else folder
