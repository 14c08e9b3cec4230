"""The sources of bases: a registry, an OCI layout, a docker archive or an engine, by the name that a user gives."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cannery.containers.engine.discovery import answering, connect
from cannery.containers.engine.image_ids import image_id
from cannery.errors import ConfigurationError, ImageError
from cannery.image.media.docker_archive import DockerArchive
from cannery.image.media.layout import Layout
from cannery.image.media.registry import Registry
from cannery.image.registry.reference import Reference
from cannery.workspace.files import explained, stamp, user_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.containers.engine.discovery import Choice
    from cannery.containers.engine.endpoints import Answer
    from cannery.image.media.medium import Medium
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["digest_now", "opened", "reference_of", "state_of"]

_LAYOUT: Final = "oci:"
_ARCHIVE: Final = "docker-archive:"
_DAEMON: Final = "docker-daemon:"


def state_of(text: str, app: App) -> object:
    """A value that is another one once the base ``text`` has changed: a stamp, or an engine's ID of the image.

    It is None for a base in a registry, which isn't asked: a tag means what it meant first until ``--refresh``. Raises
    :class:`ImageError` where an engine or an archive isn't there.
    """
    if text.startswith(_LAYOUT):
        layout = _layout(text, app)
        return str(layout.folder), stamp(layout.index)
    if text.startswith(_ARCHIVE):
        archive = _archive(text, app)
        return str(archive.path), stamp(archive.path)
    if text.startswith(_DAEMON):
        name = text.removeprefix(_DAEMON)
        answer = _engine(app)
        socket = answer.endpoint.socket
        found = image_id(socket, name) if socket is not None else connect(answer).id_of(name)
        if found is None:
            raise ImageError(f"there is no image {name} in {answer}", step=f"docker pull {name}, or correct its name")
        return found
    return None


def digest_now(text: str, workspace: Workspace) -> str | None:
    """The digest that a registry has for ``text`` now; None for a base elsewhere, and where the registry won't say."""
    if _is_local(text):
        return None
    with Registry(text, workspace.run) as registry:
        return registry.digest()


def reference_of(text: str) -> str | None:
    """The reference of a base in a registry, written out in full; None for one elsewhere."""
    return None if _is_local(text) else str(Reference.parse(text))


@contextmanager
def opened(text: str, app: App, workspace: Workspace) -> Iterator[Medium]:
    """The medium that holds the base ``text``, open for as long as the block lasts.

    Raises :class:`ConfigurationError` where ``text`` names no path, :class:`ImageError` where nothing is there,
    :class:`ToolError` where the client for registries isn't installed.
    """
    if text.startswith(_LAYOUT):
        yield _layout(text, app)
    elif text.startswith(_ARCHIVE):
        yield _archive(text, app)
    elif text.startswith(_DAEMON):
        name = text.removeprefix(_DAEMON)
        workspace.progress(f"fetching {name} from the engine")
        with workspace.cache.scratch() as folder:
            path = folder / "image.tar"
            with connect(_engine(app)).save(name) as stream, explained(path), path.open("xb") as file:
                shutil.copyfileobj(stream, file)
            yield DockerArchive(path, None, text)
    else:
        with Registry(text, workspace.run) as registry:
            yield registry


def _is_local(text: str) -> bool:
    return text.startswith((_LAYOUT, _ARCHIVE, _DAEMON))


def _layout(text: str, app: App) -> Layout:
    folder, reference = _split(text.removeprefix(_LAYOUT), app)
    return Layout(folder, reference)


def _archive(text: str, app: App) -> DockerArchive:
    path, reference = _split(text.removeprefix(_ARCHIVE), app)
    if not path.is_file():
        raise ImageError(
            f"there is no archive {path}", evidence=f"base = {text!r}", step="name a file that docker save wrote"
        )
    return DockerArchive(path, reference, text)


def _split(text: str, app: App) -> tuple[Path, str | None]:
    """A path, relative to the project, and what follows it after a colon; a path may have colons, too."""
    if not text:
        raise ConfigurationError("the base names no path", step="write it as in  oci:DIR  or  docker-archive:FILE")
    parts = text.split(":")
    for count in range(len(parts), 0, -1):
        path = app.folder / user_path(":".join(parts[:count]))
        if path.exists():
            return path, ":".join(parts[count:]) or None
    return app.folder / user_path(parts[0]), ":".join(parts[1:]) or None


def _engine(app: App) -> Answer:
    choice: Choice = "podman" if app.settings.engine == "podman" else "docker"
    answer = answering(choice)
    assert answer is not None  # noqa: S101  # only "auto" and "none" have no answer
    return answer
