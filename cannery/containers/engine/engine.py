"""What cannery asks of a container engine, and the values that go in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cannery.image.image import Image

__all__ = [
    "IMAGE_LABEL",
    "TASK_LABEL",
    "ContainerRequest",
    "Engine",
    "EngineContainer",
    "Loaded",
    "StoredImage",
    "Usage",
]

IMAGE_LABEL: Final = "dev.cannery.recipe"  # on every image that cannery builds, and on what others build from it
TASK_LABEL: Final = "dev.cannery.task"  # on every container that cannery starts, and on no other


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of an image that an engine was to have."""

    engine: str  # "Docker 20.10.24"
    state: Literal["loaded", "present", "no client"]


@dataclass(frozen=True, slots=True)
class ContainerRequest:
    """A container to start."""

    task: str  # which of cannery's tasks starts it
    image: str  # its ID or a reference
    command: tuple[str, ...] = ()  # in place of the image's Cmd
    entrypoint: tuple[str, ...] | None = None  # the image's own where it's None
    name: str | None = None  # the engine makes one up where it's not given
    ports: tuple[str, ...] = ()  # "8000" or "53/udp": published on the same port of this machine
    scratch: tuple[str, ...] = ()  # folders that are empty, writable and gone at the end
    user: str | None = None  # the image's own where it's not given
    hardened: bool = True  # the root can't be written to, and there are no capabilities


@dataclass(frozen=True, slots=True)
class EngineContainer:
    """A container of an engine."""

    id: str
    name: str
    image: str  # as it was asked for when the container was made
    image_id: str
    state: str  # created, running, exited …
    status: str  # in the engine's words: "Up 5 minutes"
    ports: tuple[str, ...]  # "127.0.0.1:8000->8000/tcp"
    labels: Mapping[str, str]
    size: int  # bytes that it wrote; 0 where nobody asked

    @property
    def running(self) -> bool:
        """Whether a program is alive in it."""
        return self.state in {"running", "paused", "restarting"}


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of an engine."""

    id: str
    references: tuple[str, ...]  # none where it's untagged
    size: int  # bytes of all its layers
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Usage:
    """What an engine's images are made of: layers with their sizes, by the image's ID.

    A layer is told apart by itself and all that lie below it, as engines store it once for each such chain.
    """

    layers: Mapping[str, tuple[tuple[str, int], ...]]

    def freed_by(self, removed: set[str]) -> int:
        """Bytes that go with the images of those IDs: of the layers that no other image needs."""
        kept = {name for image, layers in self.layers.items() if image not in removed for name, _ in layers}
        sizes = {name: size for image in removed for name, size in self.layers.get(image, ()) if name not in kept}
        return sum(sizes.values())


class Engine(Protocol):
    """Docker, Podman, or a fake of them.

    Every method raises :class:`~cannery.errors.MachineError` when the engine refuses or is gone.
    """

    @property
    def name(self) -> str:
        """``Docker`` or ``Podman``, with the version: ``Docker 20.10.24``."""
        ...

    def has(self, image: Image, references: Sequence[str]) -> bool:
        """Whether ``image`` is there; if so, ``references`` name it from now on."""
        ...

    def shared(self, image: Image, reference: str) -> int:
        """How many of the lowest layers of ``image`` need not be sent, as the image called ``reference`` has them."""
        ...

    def load(self, image: Image, archive: Path, references: Sequence[str]) -> None:
        """Send ``archive``, which holds ``image``.

        Raises :class:`ImageError` where ``references`` name another one after that.
        """
        ...

    def id_of(self, name: str) -> str | None:
        """The ID of the image of that name, if the engine has it."""
        ...

    def run(self, job: ContainerRequest) -> int:
        """Run a container on this process's terminal or streams, remove it, and return its exit code."""
        ...

    @property
    def architecture(self) -> str:
        """What its containers run on, by Go's name."""
        ...

    def create(self, job: ContainerRequest) -> str:
        """Make a container that waits in the background once it's started, gone when it's stopped; return its ID."""
        ...

    def put(self, container: str, archive: Path) -> None:
        """Unpack an archive, which may be compressed, over the root of a container."""
        ...

    def start(self, container: str) -> None:
        """Start a container."""
        ...

    def enter(self, container: str, command: Sequence[str]) -> int:
        """Run a command in a running container, on this process's terminal; return its exit code."""
        ...

    def has_file(self, container: str, paths: Sequence[str]) -> str | None:
        """The first of ``paths`` that a container has; it needn't run."""
        ...

    def save(self, image: str) -> AbstractContextManager[BinaryIO]:
        """A stream of the archive that ``docker save`` writes of ``image``."""
        ...

    def config(self, image: str) -> Mapping[str, object]:
        """How containers of ``image`` start (the "config" part of OCI image-spec v1.1, config.md)."""
        ...

    def containers(self, *, label: str | None = None, sizes: bool = False) -> tuple[EngineContainer, ...]:
        """The containers, running or not."""
        ...

    def images(self, *, label: str | None = None, everything: bool = False) -> tuple[StoredImage, ...]:
        """The images; ``everything`` includes those that only other images need."""
        ...

    def built_here(self, image: str) -> bool:
        """Whether cannery made the image's last layer: an image that others build from ours has our labels, too."""
        ...

    def usage(self, images: Sequence[StoredImage]) -> Usage:
        """What ``images`` take."""
        ...

    def stop(self, container: str) -> None:
        """Stop a container: its stop signal, then ten seconds later the end."""
        ...

    def remove_container(self, container: str) -> None:
        """Remove a container, with the volumes that have no name; it may run, or be gone already."""
        ...

    def remove_image(self, image: str) -> None:
        """Remove an image by its ID or reference; one that a container uses is refused."""
        ...

    def build_cache(self) -> int:
        """Bytes that builds of the engine's own keep and nothing uses."""
        ...

    def prune_rest(self) -> int:
        """Remove networks that nothing uses, and what builds keep; return the bytes that came free."""
        ...
