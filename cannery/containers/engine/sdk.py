"""Docker and Podman through the docker SDK: Podman's service speaks Docker's API, too (Engine API v1.40)."""

from __future__ import annotations

import io
import itertools
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from docker.errors import APIError, NotFound
from docker.utils import parse_repository_tag

from cannery.containers.engine.client import (
    NO_INIT,
    Chunks,
    advice,
    client_for,
    lacks_init,
    remove_container,
    translated,
)
from cannery.containers.engine.container_create import container_create
from cannery.containers.engine.engine import ContainerRequest, EngineContainer, StoredImage, Usage
from cannery.containers.engine.image_ids import image_id, names_of, prefixed
from cannery.errors import ImageError, MachineError
from cannery.image.image import CREATED_BY
from cannery.workspace.streams import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from docker import APIClient

    from cannery.containers.engine.endpoints import Answer
    from cannery.image.image import Image

__all__ = ["SdkEngine"]

_PATIENCE: Final = 600  # seconds without a byte: an engine that unpacks a large layer is silent for long
# Go's words for a panic, which Podman answers with where a step of an image's history has no time (Podman 4.3)
_PANIC: Final = "nil pointer"


class SdkEngine:
    """An engine that answered, asked through the SDK."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.name = str(answer)

    @cached_property
    def client(self) -> APIClient:
        """The SDK's client, which is made when it's first needed."""
        with self._translated():
            return client_for(self._answer.endpoint, api=self._answer.api, timeout=_PATIENCE)

    def has(self, image: Image, references: Sequence[str]) -> bool:
        """True if the engine has ``image``, which ``references`` name from then on."""
        names = names_of(image)
        unnamed = [reference for reference in references if self.id_of(reference) not in names]
        present = next(filter(self.id_of, names), None) if unnamed else None
        for reference in unnamed if present else ():
            self._tag(str(present), reference)
        return not unnamed or present is not None

    def shared(self, image: Image, reference: str) -> int:
        """The number of lowest layers that ``image`` shares with the one called ``reference``, and needn't be sent.

        It's 0 for Podman, which wants every layer; Docker looks for a layer by its diff ID before it reads an archive.
        """
        if self._answer.engine != "Docker" or self.id_of(reference) is None:
            return 0
        with self._translated():
            there = self.client.inspect_image(reference)["RootFS"].get("Layers") or []
        pairs = zip(image.layers, there, strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: str(pair[0].diff_id) == pair[1], pairs))

    def load(self, image: Image, archive: Path, references: Sequence[str]) -> None:
        """Send ``archive``, a Docker archive of ``image``.

        Raises :class:`ImageError` if ``references`` name another image afterwards.
        """
        with self._translated(), archive.open("rb") as stream:
            for message in self.client.load_image(stream):
                if error := message.get("error"):
                    raise MachineError(f"{self.name} cannot load the image", evidence=error, step=advice(error))
        for reference in references:
            if (found := self.id_of(reference)) not in names_of(image):
                raise ImageError(
                    f"{self.name} has another image as {reference} than the one that it was sent",
                    evidence=f"{found or 'none'} instead of {image.id}",
                    step="something else may have tagged an image meanwhile: try again",
                )

    def run(
        self,
        request: ContainerRequest,
        tell: Callable[[str], object] = show,
        made: Callable[[str], object] | None = None,
    ) -> int:
        """Run a container on this process's terminal or streams, remove it, and return its exit code.

        ``tell`` is given a line where the engine has no init to be process 1, and the program is that itself. ``made``
        is given the container's ID before it's started.
        """
        with self._translated():
            if request.init:
                try:
                    return self._run(request, made, init=True)
                except APIError as error:
                    if not lacks_init(str(error.explanation)):
                        raise
                tell(NO_INIT.format(engine=self.name))
            return self._run(request, made, init=False)

    def _run(self, request: ContainerRequest, made: Callable[[str], object] | None, *, init: bool) -> int:
        from cannery.containers.engine.attach import run_attached  # noqa: PLC0415  # terminals are a Unix matter

        body = container_create(request, local=self._local, init=init)
        container: str = self.client.create_container_from_config(body.config, body.name)["Id"]
        try:
            if made is not None:
                made(container)
            return run_attached(self.client, container, tty=body.tty)
        finally:
            remove_container(self.client, container)

    @property
    def architecture(self) -> str:
        """The machine that its containers run on, by Go's name (``GOARCH``): ``amd64``."""
        with self._translated():
            return str(self.client.version()["Arch"])

    def create(self, request: ContainerRequest) -> str:
        """Make a container that waits in the background once started and is removed once stopped; return its ID."""
        body = container_create(request, local=self._local, waiting=True)
        with self._translated():
            return str(self.client.create_container_from_config(body.config, body.name)["Id"])

    def put(self, container: str, archive: Path) -> None:
        """Unpack a tar archive, compressed or not, over the root of a container."""
        with self._translated(), archive.open("rb") as stream:
            self.client.put_archive(container, "/", stream)

    def start(self, container: str) -> None:
        """Start a container."""
        with self._translated():
            self.client.start(container)

    def enter(self, container: str, command: Sequence[str]) -> int:
        """Run ``command`` in a running container, on this process's terminal; return its exit code."""
        from cannery.containers.engine.attach import exec_attached  # noqa: PLC0415

        with self._translated():
            return exec_attached(self.client, container, command)

    def find_file(self, container: str, paths: Sequence[str]) -> str | None:
        """The first of ``paths`` that a container has, running or not; None if it has none of them."""
        with self._translated():
            return next((path for path in paths if self._contains(container, path)), None)

    @contextmanager
    def save(self, image: str) -> Iterator[BinaryIO]:
        """A stream of the Docker archive of ``image``, as ``docker save`` writes it."""
        with self._translated():
            chunks = self.client.get_image(image)
        try:
            yield io.BufferedReader(Chunks(chunks, self.name))
        finally:
            chunks.close()

    def config(self, image: str) -> Mapping[str, object]:
        """The ``config`` of ``image``, which says how its containers start (OCI image-spec v1.1, config.md)."""
        with self._translated():
            return dict(self.client.inspect_image(image)["Config"])

    def containers(self, *, label: str | None = None, sizes: bool = False) -> tuple[EngineContainer, ...]:
        """All containers, or those with ``label``; with ``sizes`` the bytes that each wrote are counted."""
        filters = {"label": label} if label else {}
        with self._translated():
            return tuple(map(_container, self.client.containers(all=True, size=sizes, filters=filters)))

    def images(self, *, label: str | None = None, everything: bool = False) -> tuple[StoredImage, ...]:
        """All images, or those with ``label``; ``everything`` includes those that only other images need."""
        filters = {"label": label} if label else {}
        with self._translated():
            return tuple(map(_stored_image, self.client.images(all=everything, filters=filters)))

    def built_here(self, image: str) -> bool:
        """True if cannery made the image's last layer: its labels alone also mark what others build on it."""
        with self._translated():
            return any(str(step["CreatedBy"]).startswith(CREATED_BY) for step in self._history(image)[:1])

    def usage(self, images: Sequence[StoredImage]) -> Usage:
        """The layers of ``images``, with their sizes."""
        with self._translated():
            return Usage({image.id: self._layers(image.id) for image in images})

    def signal(self, container: str, number: int) -> None:
        """Send a signal to process 1 of a running container."""
        with self._translated():
            self.client.kill(container, number)

    def stop(self, container: str) -> None:
        """Send a container its stop signal and, where it still runs after ten seconds, SIGKILL."""
        with self._translated():
            self.client.stop(container, timeout=10)

    def remove_container(self, container: str) -> None:
        """Remove a container with its anonymous volumes; it may run, or be gone already."""
        with self._translated():
            remove_container(self.client, container)

    def remove_image(self, image: str) -> None:
        """Remove an image by its ID or reference; the engine refuses while a container uses it."""
        with self._translated():
            self.client.remove_image(image)

    def build_cache(self) -> int:
        """Bytes of the engine's own build cache that nothing uses."""
        with self._translated():
            records = self.client.df().get("BuildCache") or ()
        return sum(record["Size"] for record in records if not record["InUse"])

    def prune_rest(self) -> int:
        """Remove unused networks and the engine's build cache; return the bytes that came free."""
        with self._translated():
            self.client.prune_networks()
            try:
                return int(self.client.prune_builds().get("SpaceReclaimed") or 0)
            except NotFound:
                return 0  # Podman has no build cache

    @property
    def _local(self) -> bool:
        return self._answer.endpoint.local

    def _translated(self) -> Any:
        return translated(self.name)

    def id_of(self, name: str) -> str | None:
        """The ID of the image called ``name``; None if the engine has none. A socket is asked without the SDK."""
        if (socket := self._answer.endpoint.socket) is not None:
            with self._translated():
                return image_id(socket, name)
        try:
            return prefixed(self.client.inspect_image(name)["Id"])
        except NotFound:
            return None

    def _tag(self, image: str, reference: str) -> None:
        repository, tag = parse_repository_tag(reference)
        with self._translated():
            self.client.tag(image, repository, tag)

    def _contains(self, container: str, path: str) -> bool:
        try:
            stream, _ = self.client.get_archive(container, path)
        except NotFound:
            return False
        stream.close()
        return True

    def _history(self, image: str) -> list[dict[str, Any]]:
        """The image's history, the last step first; empty where Podman can't tell it."""
        try:
            return list(self.client.history(image))
        except APIError as error:
            if _PANIC not in str(error.explanation):
                raise
            return []

    def _layers(self, image: str) -> tuple[tuple[str, int], ...]:
        """The image's layers with their sizes, the lowest first, named as :class:`Usage` names them."""
        diff_ids = self.client.inspect_image(image)["RootFS"].get("Layers") or []
        sizes = [step["Size"] for step in reversed(self._history(image))]
        sizes = sizes if len(sizes) == len(diff_ids) else [size for size in sizes if size]
        names = ["/".join(diff_ids[: number + 1]) for number in range(len(diff_ids))]
        return tuple(zip(names, sizes, strict=False))


def _container(found: Mapping[str, Any]) -> EngineContainer:
    return EngineContainer(
        id=found["Id"],
        name=(found.get("Names") or [""])[0].lstrip("/"),
        image=found["Image"],
        image_id=prefixed(found["ImageID"]),
        state=found["State"],
        status=found.get("Status") or found["State"],
        ports=tuple(map(_port, found.get("Ports") or ())),
        labels=found.get("Labels") or {},
        size=found.get("SizeRw") or 0,
    )


def _port(port: Mapping[str, Any]) -> str:
    inside = f"{port['PrivatePort']}/{port['Type']}"
    return f"{port.get('IP', '')}:{port['PublicPort']}->{inside}" if port.get("PublicPort") else inside


def _stored_image(found: Mapping[str, Any]) -> StoredImage:
    references = tuple(name for name in found.get("RepoTags") or () if name != "<none>:<none>")
    return StoredImage(prefixed(found["Id"]), references, found["Size"], found.get("Labels") or {})
