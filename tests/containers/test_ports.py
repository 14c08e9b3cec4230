"""Ports, as settings have them."""

from __future__ import annotations

import pytest

from cannery.containers.ports import PublishedPort, published_port


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("8000", PublishedPort("8000/tcp", "8000", None)),
        ("53/udp", PublishedPort("53/udp", "53", None)),
        ("18000:8000", PublishedPort("8000/tcp", "18000", None)),
        ("5353:53/udp", PublishedPort("53/udp", "5353", None)),
        ("0.0.0.0:80:8000", PublishedPort("8000/tcp", "80", "0.0.0.0")),  # noqa: S104  # no socket is bound
        ("[::1]:80:8000", PublishedPort("8000/tcp", "80", "::1")),
    ],
)
def test_a_port_is_written_as_for_docker_s_publish(text: str, port: PublishedPort) -> None:
    assert published_port(text) == port
