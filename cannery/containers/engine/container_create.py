"""The body of the request that creates a container (Engine API v1.40, ContainerCreate)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from cannery.containers.engine.engine import TASK_LABEL
from cannery.containers.ports import published_port

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.containers.engine.engine import ContainerRequest
    from cannery.containers.ports import PublishedPort

__all__ = ["ContainerCreate", "container_create"]

_LOOPBACK = "127.0.0.1"


class ContainerCreate(NamedTuple):
    """A container to be created, in the words of the Engine API."""

    config: dict[str, Any]  # the body, as JSON
    name: str | None  # None: the engine makes one up

    @property
    def tty(self) -> bool:
        """True if the program gets a terminal."""
        return bool(self.config["Tty"])


def container_create(
    request: ContainerRequest, *, local: bool, waiting: bool = False, init: bool = False
) -> ContainerCreate:
    """The body for ``request``; an engine that is ``local`` publishes ports on the loopback address only.

    A ``waiting`` container is for others to enter: its own program reads a terminal at which nobody types. With
    ``init``, process 1 is the engine's own, which hands on signals and reaps orphans, and the program its child.
    """
    tty = waiting or (sys.stdin.isatty() and sys.stdout.isatty())
    usual = _LOOPBACK if local else ""
    ports = [published_port(text) for text in request.ports]
    config: dict[str, Any] = {
        "Image": request.image,
        "Labels": {TASK_LABEL: request.task},
        "Tty": tty,
        "OpenStdin": True,
        "StdinOnce": not waiting,
        "AttachStdin": not waiting,
        "AttachStdout": not waiting,
        "AttachStderr": not waiting,
        "ExposedPorts": {port.container: {} for port in ports},
        "HostConfig": {
            "AutoRemove": waiting,
            "Init": init,
            "PortBindings": _bindings(ports, usual),
            **(_hardened(request) if request.hardened else {}),
        },
    }
    if request.command:
        config["Cmd"] = list(request.command)
    if request.entrypoint is not None:
        config["Entrypoint"] = list(request.entrypoint)
    if request.user is not None:
        config["User"] = request.user
    return ContainerCreate(config, request.name)


def _bindings(ports: Iterable[PublishedPort], usual: str) -> dict[str, list[dict[str, str]]]:
    """The ports of the machine that lead to each of the container's; at the address ``usual`` unless one is given."""
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        place = {"HostIp": usual if port.address is None else port.address, "HostPort": port.host}
        bindings.setdefault(port.container, []).append(place)
    return bindings


def _hardened(request: ContainerRequest) -> dict[str, Any]:
    """The limits that the sandbox sets, too: a read-only root, no capabilities, empty folders for scratch."""
    limits = request.limits
    scratch = f"mode=1777,size={limits.tmp}"
    return {
        "ReadonlyRootfs": request.read_only,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "PidsLimit": limits.pids,
        **({} if limits.memory is None else {"Memory": limits.memory}),
        "Tmpfs": {
            **dict.fromkeys(request.scratch, scratch),
            "/tmp": f"{scratch},{'exec' if request.executable_tmp else 'noexec'}",  # noqa: S108  # in the container
        },
    }
