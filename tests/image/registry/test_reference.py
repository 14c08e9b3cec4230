"""Names of images, read as Docker reads them."""

from __future__ import annotations

import pytest

from cannery.errors import ConfigurationError
from cannery.image.registry.reference import Reference, is_loopback

pytestmark = pytest.mark.once

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "whole", "server"),
    [
        ("python", "docker.io/library/python:latest", "registry-1.docker.io"),
        ("python:3.11-slim", "docker.io/library/python:3.11-slim", "registry-1.docker.io"),
        ("team/base", "docker.io/team/base:latest", "registry-1.docker.io"),
        ("index.docker.io/team/base:1", "docker.io/team/base:1", "registry-1.docker.io"),
        ("ghcr.io/team/deep/base:1.2", "ghcr.io/team/deep/base:1.2", "ghcr.io"),
        ("localhost/base", "localhost/base:latest", "localhost"),
        ("localhost:5000/base:1", "localhost:5000/base:1", "localhost:5000"),
        ("[::1]:5000/base", "[::1]:5000/base:latest", "[::1]:5000"),
        (f"python@{DIGEST}", f"docker.io/library/python@{DIGEST}", "registry-1.docker.io"),
        (f"ghcr.io/a/b:1@{DIGEST}", f"ghcr.io/a/b@{DIGEST}", "ghcr.io"),
    ],
)
def test_a_reference_is_written_out(text: str, whole: str, server: str) -> None:
    reference = Reference.parse(text)
    assert (str(reference), reference.server) == (whole, server)


@pytest.mark.parametrize(
    "text",
    ["", "Python", "a b", "python:", "https://ghcr.io/a/b", "ghcr.io/", "python@md5:1", "a//b", "x:é"],
)
def test_what_can_t_be_a_reference_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no name of an image"):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("server", "loopback"),
    [("localhost:5000", True), ("127.0.0.1", True), ("127.8.8.8:80", True), ("[::1]:5000", True), ("ghcr.io", False),
     ("10.0.0.1:5000", False), ("localhost.example.org", False), ("127.0.0.1.example.org", False)],
)  # fmt: skip
def test_only_this_machine_is_loopback(server: str, *, loopback: bool) -> None:
    assert is_loopback(server) == loopback
