"""Where engines listen: the places that Docker's and Podman's own tools look at, in their order."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cannery.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Endpoint", "docker_endpoints", "podman_endpoints"]


class Endpoint(NamedTuple):
    """An address, and who named it."""

    address: str  # unix:///var/run/docker.sock, tcp://host:2376, ssh://user@host …
    source: str  # DOCKER_HOST, the context …: for messages
    context: str | None = None  # the Docker context that may hold certificates for it
    forwarded: str | None = None  # the socket here that leads there, once there is one

    @property
    def local(self) -> bool:
        """Whether it's on this machine for sure."""
        return self.address.startswith("unix://")

    @property
    def socket(self) -> str | None:
        """The path of a Unix socket that leads there, if there is one."""
        return self.address.removeprefix("unix://") if self.local else self.forwarded

    @property
    def there(self) -> bool:
        """Whether something may answer: a socket that isn't there costs nothing to find out."""
        return self.socket is None or os.path.exists(self.socket)


def docker_endpoints(environ: Mapping[str, str], home: Path) -> Iterator[Endpoint]:
    """Where Docker listens; what the user named is the only place (docs.docker.com, docker context)."""
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
    """Where Podman listens (podman-system-service(1))."""
    if address := environ.get("CONTAINER_HOST"):
        yield Endpoint(address, "CONTAINER_HOST")
        return
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Endpoint(f"unix://{runtime}/podman/podman.sock", "Podman's socket of this user")
    yield Endpoint("unix:///run/podman/podman.sock", "Podman's socket of the machine")


def _context(environ: Mapping[str, str], home: Path) -> Endpoint | None:
    """The Docker context in use, read as the docker command reads it; None for the default one."""
    folder = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    name = str(environ.get("DOCKER_CONTEXT") or _read(folder / "config.json").get("currentContext") or "default")
    if name == "default":
        return None
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    address = _read(meta).get("Endpoints", {}).get("docker", {}).get("Host")
    if not address:
        raise MachineError(
            f"there is no Docker context {name!r}",
            evidence=f"looked in {meta}",
            step="docker context ls shows those that there are; docker context use default goes back",
        )
    return Endpoint(address, f"the Docker context {name!r}", name)


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError):
        return {}  # not there, or not for us: as the docker command, go on without it
