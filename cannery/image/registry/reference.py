"""Names of images in registries (OCI distribution-spec v1.1, pulling manifests)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from cannery.errors import ConfigurationError, ImageError
from cannery.workspace.digest import Digest

__all__ = ["DOCKER_HUB", "Reference", "is_loopback"]

DOCKER_HUB: Final = "docker.io"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REGISTRY = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
_SERVERS: Final = {DOCKER_HUB: "registry-1.docker.io"}  # registry -> the host that answers, if it's another
_OTHER_NAMES: Final = {"index.docker.io": DOCKER_HUB, "registry-1.docker.io": DOCKER_HUB}


@dataclass(frozen=True, slots=True)
class Reference:
    """An image in a registry, by its tag or by its digest."""

    registry: str  # as it is written: docker.io, localhost:5000
    repository: str
    tag: str
    digest: Digest | None = None  # goes before the tag

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``python:3.11-slim``, ``ghcr.io/team/base@sha256:…`` as Docker does.

        Raises :class:`ConfigurationError` for what can't be a reference.
        """
        name, at, pinned = text.partition("@")
        first, slash, rest = name.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            registry, path = _OTHER_NAMES.get(first, first), rest
        else:
            registry, path = DOCKER_HUB, name
        repository, colon, tag = path.partition(":")
        if registry == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        tag = tag if colon else "latest"
        if not (_REGISTRY.fullmatch(registry) and _REPOSITORY.fullmatch(repository) and _TAG.fullmatch(tag)):
            raise _unreadable(text)
        try:
            return cls(registry, repository, tag, Digest.parse(pinned) if at else None)
        except ImageError as error:
            raise _unreadable(text, str(error)) from error

    @property
    def version(self) -> str:
        """The digest or the tag, whichever the registry is asked for."""
        return str(self.digest or self.tag)

    @property
    def server(self) -> str:
        """The host that answers for the registry, with its port if there is one."""
        return _SERVERS.get(self.registry, self.registry)

    @property
    def plain(self) -> bool:
        """True where the registry is asked without TLS: only where nothing leaves this machine."""
        return is_loopback(self.server)

    def __str__(self) -> str:
        version = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.registry}/{self.repository}{version}"


def is_loopback(server: str) -> bool:
    """True where ``server``, a host with or without a port, is this machine."""
    host = server.rpartition("]")[0].lstrip("[") if server.startswith("[") else server.partition(":")[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unreadable(text: str, why: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"{text!r} is no name of an image",
        evidence=why,
        step="write it as in  python:3.11-slim  or  ghcr.io/team/base:1.2",
    )
