"""An image by the name that a user gives it: an archive, a layout, an engine's, a registry's."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cannery.errors import ImageError
from cannery.image.platform import machine_platform
from cannery.workspace.files import explained, user_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.containers.engine.discovery import Choice
    from cannery.containers.engine.engine import Engine
    from cannery.image.image import Base
    from cannery.image.media.medium import Medium
    from cannery.image.platform import Platform
    from cannery.workspace.workspace import Workspace

__all__ = ["local_image", "opened_image", "pulled_image"]


def pulled_image(name: str, engine: Choice, platform: Platform | None, workspace: Workspace) -> Base:
    """The image called ``name``, as :func:`opened_image` finds it, for ``platform`` or this machine's."""
    from cannery.image.media.pull import pull  # noqa: PLC0415  # not needed for what is built here

    with opened_image(name, engine, workspace) as medium:
        return pull(medium, platform or machine_platform(), workspace.cache, workspace.progress)


# skopeo's words for where an image lies (containers-transports(5))
_REGISTRY: Final = "docker://"
_LOCAL: Final = ("docker-archive:", "oci-archive:", "oci:", "docker-daemon:", "containers-storage:")


@contextmanager
def opened_image(name: str, choice: Choice, workspace: Workspace) -> Iterator[Medium]:
    """The medium that has the image called ``name``, for as long as the block lasts.

    It is an archive, the folder of an OCI layout, an image that the engine has, or one in a registry, which are
    looked for in that order; :class:`ImageError` or :class:`RegistryError` is raised where there is none.
    """
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


@contextmanager
def local_image(name: str, choice: Choice, platform: Platform | None, workspace: Workspace) -> Iterator[str]:
    """The name of the image on this machine: ``name``, or the folder of a layout that one in a registry is copied to.

    That is the image for ``platform``, or this machine's, and the folder is gone at the end of the block.
    """
    from cannery.containers.engine.discovery import find_engine  # noqa: PLC0415
    from cannery.image.image import image_of  # noqa: PLC0415
    from cannery.image.media.layout import Layout  # noqa: PLC0415
    from cannery.image.media.pull import pull  # noqa: PLC0415
    from cannery.image.media.registry import Registry  # noqa: PLC0415

    reference = name.removeprefix(_REGISTRY)
    if name.startswith(_LOCAL) or (reference == name and _local(name) is not None):
        yield name
        return
    if reference == name and (engine := find_engine(choice)) is not None and engine.id_of(name) is not None:
        yield name
        return
    with Registry(reference, workspace.run) as registry:
        found = pull(registry, platform or machine_platform(), workspace.cache, workspace.progress)
    with workspace.cache.scratch() as folder:
        Layout(folder).write(image_of(found), [reference])
        yield str(folder)


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
