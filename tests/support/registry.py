"""A registry on this machine alone, with the stand-ins under the names that the official images have."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import textwrap
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import pytest

from tests.support.ports import free_port
from tests.support.prerequisites import absent
from tests.support.stand_in_images import FULL, SLIM, TOOLS, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["USER", "Base", "Registry", "full_base", "guarded_registry", "registry", "slim_base"]

USER = ("tinsmith", "sesame")
_HASH = "$2b$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O"  # of that password, by crypt(5)
_PATIENCE = 30  # seconds for a registry to start

_CONFIGURATION = """
    version: 0.1
    log: {{level: error}}
    storage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: true}}}}
    http: {{addr: {address}}}
"""


@dataclass(frozen=True)
class Registry:
    """A registry that answers without a password and without TLS."""

    address: str  # host and port
    data: Path  # where it keeps what it has

    def push(self, layout: Path, tag: str, repository: str, *flags: str) -> str:
        """Put an image of an OCI layout there; returns its reference."""
        reference = f"{self.address}/{repository}"
        command = [
            "skopeo",
            "copy",
            "--quiet",
            "--dest-tls-verify=false",
            *flags,
            f"oci:{layout}:{tag}",
            f"docker://{reference}",
        ]
        subprocess.run(command, check=True)
        return reference

    def blob(self, digest: str) -> Path:
        """Where it keeps the blob of ``digest``, in hexadecimal digits."""
        return self.data / "docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"


@dataclass(frozen=True)
class Base:
    """A base image: where it can be pulled, and the same on disk."""

    reference: str  # 127.0.0.1:PORT/library/python:3.11-slim
    layout: Path  # OCI
    tag: str


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    _need("docker-registry", "skopeo")
    with _running(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture(scope="session")
def guarded_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that asks for a password: that of :data:`USER`."""
    _need("docker-registry", "skopeo")
    home = tmp_path_factory.mktemp("guarded-registry")
    (home / "users").write_text(f"{USER[0]}:{_HASH}\n")
    with _running(home, f"auth: {{htpasswd: {{realm: cans, path: {home / 'users'}}}}}") as started:
        yield started


@pytest.fixture(scope="session")
def slim_base(registry: Registry) -> Base:
    """The stand-in for ``python:3.11-slim``."""
    return _base(registry, SLIM)


@pytest.fixture(scope="session")
def full_base(registry: Registry) -> Base:
    """The stand-in for ``python:3.11``, which has a compiler."""
    return _base(registry, FULL)


def _base(registry: Registry, tag: str) -> Base:
    _need(*TOOLS)
    if os.geteuid() != 0:
        absent("root, to make a base image")
    made = layout(tag, Path(os.environ.get("CANNERY_STANDINS") or platformdirs.user_cache_dir("cannery-standins")))
    return Base(registry.push(made, tag, f"library/python:{tag}"), made, tag)


@contextmanager
def _running(home: Path, more: str = "") -> Iterator[Registry]:
    address = f"127.0.0.1:{free_port()}"
    configuration = home / "config.yml"
    text = textwrap.dedent(_CONFIGURATION).format(folder=home / "data", address=address)
    configuration.write_text(f"{text}{more}\n")
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", configuration], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _listens(address):
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.05)
        yield Registry(address, home / "data")
    finally:
        process.terminate()
        process.wait()


def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def _need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            absent(program)
