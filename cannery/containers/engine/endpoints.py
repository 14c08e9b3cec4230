"""The addresses at which engines may listen, in the order in which Docker's and Podman's own tools try them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cannery.errors import MachineError
from cannery.workspace.documents import json_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Answer", "Endpoint", "docker_endpoints", "podman_endpoints"]


class Endpoint(NamedTuple):
    """An address at which an engine may listen."""

    address: str  # unix:///var/run/docker.sock, tcp://host:2376, ssh://user@host …
    source: str  # of the address, for messages: DOCKER_HOST, the context …
    context: str | None = None  # the Docker context that may hold certificates for it
    forwarded: str | None = None  # a socket of this machine that a tunnel leads to the address, if one stands

    @property
    def local(self) -> bool:
        """True for a Unix socket, whose engine is on this machine for sure."""
        return self.address.startswith("unix://")

    @property
    def socket(self) -> str | None:
        """The path of a Unix socket that leads to the engine; None where only the SDK can reach it."""
        return self.address.removeprefix("unix://") if self.local else self.forwarded

    @property
    def there(self) -> bool:
        """False for a socket that doesn't exist, which is known without a question to anybody."""
        return self.socket is None or os.path.exists(self.socket)


class Answer(NamedTuple):
    """An engine that answered at an endpoint (Engine API, SystemPing and SystemVersion)."""

    endpoint: Endpoint
    engine: str  # "Docker" or "Podman": by what it says of itself, wherever it listens
    version: str  # "20.10.24"
    api: str  # the version of the Engine API that it speaks: "1.41"

    def __str__(self) -> str:
        return f"{self.engine} {self.version}"


def docker_endpoints(environ: Mapping[str, str], home: Path) -> Iterator[Endpoint]:
    """The endpoints of Docker; only one where the user names it (docs.docker.com, docker context).

    ``home`` is the user's home folder. Raises :class:`MachineError` for a context that doesn't exist.
    """
    if address := environ.get("DOCKER_HOST"):
        yield Endpoint(address, "DOCKER_HOST")
        return
    if (context := _context(environ, home)) is not None:
        yield context
        return
    yield Endpoint("unix:///var/run/docker.sock", "Docker's usual socket")
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Endpoint(f"unix://{runtime}/docker.sock", "rootless Docker's socket")
    yield Endpoint(f"unix://{home}/.docker/run/docker.sock", "Docker Desktop's socket")


def podman_endpoints(environ: Mapping[str, str]) -> Iterator[Endpoint]:
    """The endpoints of Podman; only one where the user names it (podman-system-service(1))."""
    if address := environ.get("CONTAINER_HOST"):
        yield Endpoint(address, "CONTAINER_HOST")
        return
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Endpoint(f"unix://{runtime}/podman/podman.sock", "Podman's socket of this user")
    yield Endpoint("unix:///run/podman/podman.sock", "Podman's socket of the machine")


def _context(environ: Mapping[str, str], home: Path) -> Endpoint | None:
    """The endpoint of the Docker context in use, as the docker command finds it; None for the default context."""
    folder = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    chosen = environ.get("DOCKER_CONTEXT") or _read(folder / "config.json").get("currentContext")
    name = chosen if isinstance(chosen, str) and chosen else "default"
    if name == "default":
        return None
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    address: Any = _read(meta)
    for part in ("Endpoints", "docker", "Host"):
        address = address.get(part) if isinstance(address, dict) else None
    if not isinstance(address, str) or not address:
        raise MachineError(
            f"there is no Docker context {name!r}",
            evidence=f"looked in {meta}",
            step="docker context ls shows those that there are; docker context use default goes back",
        )
    return Endpoint(address, f"the Docker context {name!r}", name)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json_value(path.read_bytes())
    except (OSError, ValueError):
        return {}  # missing, unreadable or damaged: like the docker command, go on without the file
    return document if isinstance(document, dict) else {}
