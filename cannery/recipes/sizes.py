"""From an app, or the name of an image, to what takes its bytes."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cannery.errors import ImageError
from cannery.image.image import CREATED_BY
from cannery.image.platform import machine_platform
from cannery.project.app import HOME
from cannery.recipes.build import build
from cannery.sizes.known_files import known_files
from cannery.sizes.parts import sizes_of
from cannery.workspace.files import explained, user_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.containers.engine.discovery import Choice
    from cannery.containers.engine.engine import Engine
    from cannery.image.image import Base, Image
    from cannery.image.media.medium import Medium
    from cannery.image.platform import Platform
    from cannery.project.app import App
    from cannery.sizes.parts import ImageSizes
    from cannery.workspace.workspace import Workspace

__all__ = ["layer_names", "sizes_of_app", "sizes_of_image"]


def sizes_of_app(app: App, workspace: Workspace) -> ImageSizes:
    """What takes the bytes of the image of ``app``, which is built where something has changed."""
    image = build(app, workspace).image
    return _sizes(app.references[0], image, workspace)


def sizes_of_image(name: str, engine: Choice, platform: Platform | None, workspace: Workspace) -> ImageSizes:
    """What takes the bytes of the image called ``name``, for ``platform`` or this machine's.

    It is an archive, the folder of an OCI layout, an image that the ``engine`` has, or one in a registry, which are
    looked for in that order; :class:`ImageError` or :class:`RegistryError` is raised where there is none.
    """
    from cannery.image.media.pull import pull  # noqa: PLC0415  # not needed for what is built here

    with _opened(name, engine, workspace) as medium:
        pulled = pull(medium, platform or machine_platform(), workspace.cache, workspace.progress)
    return _sizes(name, pulled, workspace)


@contextmanager
def _opened(name: str, choice: Choice, workspace: Workspace) -> Iterator[Medium]:
    from cannery.containers.engine.discovery import find_engine  # noqa: PLC0415

    if (local := _local(name)) is not None:
        yield local
    elif (engine := find_engine(choice)) is not None and engine.id_of(name) is not None:
        with _saved(name, engine, workspace) as medium:
            yield medium
    else:
        from cannery.image.media.registry import Registry  # noqa: PLC0415

        with Registry(name, workspace.run) as registry:
            yield registry


def _local(name: str) -> Medium | None:
    """The archive or the layout whose path ``name`` begins with; a path may have colons, too."""
    from cannery.image.media.archive import Archive  # noqa: PLC0415
    from cannery.image.media.layout import Layout  # noqa: PLC0415

    parts = name.split(":")
    for count in range(len(parts), 0, -1):
        path, reference = user_path(":".join(parts[:count])), ":".join(parts[count:]) or None
        if path.is_file():
            return Archive(path, reference)
        if (path / "index.json").is_file():
            return Layout(path, reference)
    if name.startswith(("/", "./", "../", "~")) or name.endswith(".tar"):
        raise ImageError(f"there is no image at {name}", step="name an archive, an OCI layout or an image")
    return None


@contextmanager
def _saved(name: str, engine: Engine, workspace: Workspace) -> Iterator[Medium]:
    """The image that an engine has, in a file that is gone at the end of the block."""
    from cannery.image.media.docker_archive import DockerArchive  # noqa: PLC0415

    workspace.progress(f"fetching {name} from {engine.name}")
    with workspace.cache.scratch() as folder:
        path = folder / "image.tar"
        with engine.save(name) as stream, explained(path), path.open("xb") as file:
            shutil.copyfileobj(stream, file)
        yield DockerArchive(path, None, name)


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
