"""A job becomes the request that Docker's API takes (docs.docker.com, Engine API v1.40, ContainerCreate)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from cannery.containers.engine.engine import TASK_LABEL

if TYPE_CHECKING:
    from cannery.containers.engine.engine import ContainerRequest

__all__ = ["Request", "container_request"]

_LOOPBACK = "127.0.0.1"


class Request(NamedTuple):
    """A container to be made."""

    config: dict[str, Any]
    name: str | None

    @property
    def tty(self) -> bool:
        """Whether the program gets a terminal."""
        return bool(self.config["Tty"])


def container_request(job: ContainerRequest, *, local: bool, waiting: bool = False) -> Request:
    """The request for ``job``; a ``local`` engine publishes ports to this machine alone.

    ``waiting`` containers are for others to enter: their first program reads a terminal that nobody types at.
    """
    tty = waiting or (sys.stdin.isatty() and sys.stdout.isatty())
    ports = {port if "/" in port else f"{port}/tcp": port.partition("/")[0] for port in job.ports}
    config: dict[str, Any] = {
        "Image": job.image,
        "Labels": {TASK_LABEL: job.task},
        "Tty": tty,
        "OpenStdin": True,
        "StdinOnce": not waiting,
        "AttachStdin": not waiting,
        "AttachStdout": not waiting,
        "AttachStderr": not waiting,
        "ExposedPorts": {port: {} for port in ports},
        "HostConfig": {
            "AutoRemove": waiting,
            "PortBindings": {
                port: [{"HostIp": _LOOPBACK if local else "", "HostPort": number}] for port, number in ports.items()
            },
            **(_hardened(job) if job.hardened else {}),
        },
    }
    if job.command:
        config["Cmd"] = list(job.command)
    if job.entrypoint is not None:
        config["Entrypoint"] = list(job.entrypoint)
    if job.user is not None:
        config["User"] = job.user
    return Request(config, job.name)


def _hardened(job: ContainerRequest) -> dict[str, Any]:
    """As the embedded runner has it: a root that is read-only, no capabilities, scratch folders that are empty."""
    return {
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Tmpfs": dict.fromkeys(("/tmp", *job.scratch), "mode=1777"),  # noqa: S108  # in the container
    }
