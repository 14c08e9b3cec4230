"""Ports of a program, and where they are published, written as Docker's ``--publish`` has them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PublishedPort", "published_port"]


class PublishedPort(NamedTuple):
    """A port of a container, and the one of the machine that leads to it."""

    container: str  # with its protocol, as the key of ExposedPorts (OCI image-spec v1.1, config.md): "8000/tcp"
    host: str  # of the machine: "18000"
    address: str | None  # of the machine: "0.0.0.0"; None: whatever is usual


def published_port(text: str) -> PublishedPort:
    """The port that ``text`` means: ``[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]``; HOST is CONTAINER unless given."""
    numbers, _, protocol = text.partition("/")
    before, _, container = numbers.rpartition(":")
    address, _, host = before.rpartition(":")
    return PublishedPort(f"{container}/{protocol or 'tcp'}", host or container, address.strip("[]") or None)
