"""The operations that cannery asks of a container engine, as a protocol, with the values that go in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from cannery.containers.limits import Limits
from cannery.workspace.streams import show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cannery.image.image import Image

__all__ = [
    "IMAGE_LABEL",
    "TASK_LABEL",
    "ContainerRequest",
    "Engine",
    "EngineContainer",
    "StoredImage",
    "Usage",
]

IMAGE_LABEL: Final = "dev.cannery.recipe"  # on every image that cannery builds, and on what others build from it
TASK_LABEL: Final = "dev.cannery.task"  # on every container that cannery starts, and on no other


@dataclass(frozen=True, slots=True)
class ContainerRequest:
    """A container to start."""

    task: str  # of cannery, that starts it: "run"
    image: str  # its ID or a reference
    command: tuple[str, ...] = ()  # in place of the image's Cmd; empty keeps that
    entrypoint: tuple[str, ...] | None = None  # in place of the image's Entrypoint; None keeps that
    name: str | None = None  # None: the engine makes one up
    ports: tuple[str, ...] = ()  # to publish, as settings have them: "8000", "18000:8000", "53/udp"
    scratch: tuple[str, ...] = ()  # folders that are empty, writable and gone at the end
    user: str | None = None  # None: the image's
    executable_tmp: bool = False  # files in /tmp may be run, though it's hardened
    hardened: bool = True  # with a read-only root, no capabilities, and the limits
    read_only: bool = True  # the root of a hardened one
    init: bool = True  # process 1 is the engine's own, where it has one
    limits: Limits = Limits()  # noqa: RUF009  # it never changes


@dataclass(frozen=True, slots=True)
class EngineContainer:
    """A container that an engine has, running or not (Engine API, ContainerList)."""

    id: str
    name: str
    image: str  # by the name that it was asked for when the container was made
    image_id: str
    state: str  # created, running, exited …
    status: str  # in the engine's words: "Up 5 minutes"
    ports: tuple[str, ...]  # "127.0.0.1:8000->8000/tcp"
    labels: Mapping[str, str]
    size: int  # bytes that it wrote; 0 unless sizes were asked for

    @property
    def running(self) -> bool:
        """True while its program is alive."""
        return self.state in {"running", "paused", "restarting"}


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image that an engine has (Engine API, ImageList)."""

    id: str
    references: tuple[str, ...]  # empty for an untagged image
    size: int  # bytes of all its layers
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Usage:
    """The layers of an engine's images, and their sizes in bytes.

    A layer is named by the chain of its diff ID and those below: an engine stores it once for each such chain (OCI
    image-spec v1.1, config.md, ChainID).
    """

    layers: Mapping[str, tuple[tuple[str, int], ...]]  # image ID -> (layer, size), the lowest first

    def freed_by(self, removed: set[str]) -> int:
        """Bytes that come free when the images with these IDs go: those of layers that no other image needs."""
        kept = {name for image, layers in self.layers.items() if image not in removed for name, _ in layers}
        sizes = {name: size for image in removed for name, size in self.layers.get(image, ()) if name not in kept}
        return sum(sizes.values())


class Engine(Protocol):
    """A container engine: Docker, Podman, or a fake of them.

    Every method raises :class:`~cannery.errors.MachineError` when the engine refuses or is gone.
    """

    @property
    def name(self) -> str:
        """``Docker`` or ``Podman``, with the version: ``Docker 20.10.24``."""
        ...

    def has(self, image: Image, references: Sequence[str]) -> bool:
        """True if the engine has ``image``, which ``references`` name from then on."""
        ...

    def shared(self, image: Image, reference: str) -> int:
        """The number of lowest layers that ``image`` shares with the one called ``reference``, and needn't be sent."""
        ...

    def load(self, image: Image, archive: Path, references: Sequence[str]) -> None:
        """Send ``archive``, a Docker archive of ``image``.

        Raises :class:`ImageError` if ``references`` name another image afterwards.
        """
        ...

    def id_of(self, name: str) -> str | None:
        """The ID of the image called ``name``; None if the engine has none."""
        ...

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
        ...

    @property
    def architecture(self) -> str:
        """The machine that its containers run on, by Go's name (``GOARCH``): ``amd64``."""
        ...

    def create(self, request: ContainerRequest) -> str:
        """Make a container that waits in the background once started and is removed once stopped; return its ID."""
        ...

    def put(self, container: str, archive: Path) -> None:
        """Unpack a tar archive, compressed or not, over the root of a container."""
        ...

    def start(self, container: str) -> None:
        """Start a container."""
        ...

    def enter(self, container: str, command: Sequence[str]) -> int:
        """Run ``command`` in a running container, on this process's terminal; return its exit code."""
        ...

    def find_file(self, container: str, paths: Sequence[str]) -> str | None:
        """The first of ``paths`` that a container has, running or not; None if it has none of them."""
        ...

    def save(self, image: str) -> AbstractContextManager[BinaryIO]:
        """A stream of the Docker archive of ``image``, as ``docker save`` writes it."""
        ...

    def config(self, image: str) -> Mapping[str, object]:
        """The ``config`` of ``image``, which says how its containers start (OCI image-spec v1.1, config.md)."""
        ...

    def containers(self, *, label: str | None = None, sizes: bool = False) -> tuple[EngineContainer, ...]:
        """All containers, or those with ``label``; with ``sizes`` the bytes that each wrote are counted."""
        ...

    def images(self, *, label: str | None = None, everything: bool = False) -> tuple[StoredImage, ...]:
        """All images, or those with ``label``; ``everything`` includes those that only other images need."""
        ...

    def built_here(self, image: str) -> bool:
        """True if cannery made the image's last layer: its labels alone also mark what others build on it."""
        ...

    def usage(self, images: Sequence[StoredImage]) -> Usage:
        """The layers of ``images``, with their sizes."""
        ...

    def signal(self, container: str, number: int) -> None:
        """Send a signal to process 1 of a running container."""
        ...

    def stop(self, container: str) -> None:
        """Send a container its stop signal and, where it still runs after ten seconds, SIGKILL."""
        ...

    def remove_container(self, container: str) -> None:
        """Remove a container with its anonymous volumes; it may run, or be gone already."""
        ...

    def remove_image(self, image: str) -> None:
        """Remove an image by its ID or reference; the engine refuses while a container uses it."""
        ...

    def build_cache(self) -> int:
        """Bytes of the engine's own build cache that nothing uses."""
        ...

    def prune_rest(self) -> int:
        """Remove unused networks and the engine's build cache; return the bytes that came free."""
        ...
