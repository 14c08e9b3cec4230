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

from tests.absence import absent
from tests.standins.images import FULL, SLIM, TOOLS, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Base", "Registry", "full_base", "registry", "slim_base"]

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

    def push(self, layout: Path, tag: str, repository: str) -> str:
        """Put an image of an OCI layout there; returns its reference."""
        reference = f"{self.address}/{repository}"
        command = [
            "skopeo",
            "copy",
            "--quiet",
            "--dest-tls-verify=false",
            f"oci:{layout}:{tag}",
            f"docker://{reference}",
        ]
        subprocess.run(command, check=True)
        return reference


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
def _running(home: Path) -> Iterator[Registry]:
    address = f"127.0.0.1:{_free_port()}"
    configuration = home / "config.yml"
    configuration.write_text(textwrap.dedent(_CONFIGURATION).format(folder=home / "data", address=address))
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", configuration], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _listens(address):
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.05)
        yield Registry(address)
    finally:
        process.terminate()
        process.wait()


def _listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            absent(program)
