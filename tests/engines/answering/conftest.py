"""Docker and Podman on sockets of their own: what tests remove there is nobody's.

With CI set a missing engine is a failure; elsewhere its tests skip and say why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from docker import APIClient

from cannery.engines.finding import find_engine
from tests.absence import absent
from tests.engines.answering.elsewhere import free_port, make_certificates
from tests.engines.answering.programs import PROGRAM, PYPROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cannery.engines.engine import Engine
    from cannery.engines.finding import Choice

_PATIENCE = 60  # seconds for an engine to start

# Raising limits is forbidden on some machines that tests run on; and a storage that works on any file system.
_CONTAINERS_CONF = """
    [containers]
    default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]

    [engine]
    cgroup_manager = "cgroupfs"
    events_logger = "file"
"""


@dataclass(frozen=True)
class Service:
    """An engine that answers, and how people point to it."""

    kind: Choice
    environment: Mapping[str, str]
    client: APIClient
    home: Path  # its socket is "sock" there, its certificates "ca.pem", "cert.pem" and "key.pem"
    tcp: str = ""  # where else it listens, and wants a certificate

    def containers(self) -> list[str]:
        """The names of all containers."""
        return [name for found in self.client.containers(all=True) for name in found["Names"]]


@pytest.fixture(scope="session")
def dockerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        absent("dockerd, and root to start it")
    home = tmp_path_factory.mktemp("dockerd")
    make_certificates(home)
    folders = [f"--data-root={home}/data", f"--exec-root={home}/exec", f"--pidfile={home}/pid"]
    hosts = [f"--host=unix://{home}/sock", f"--host={(address := f'tcp://127.0.0.1:{free_port()}')}", "--tlsverify"]
    certificates = [f"--tlscacert={home}/ca.pem", f"--tlscert={home}/cert.pem", f"--tlskey={home}/key.pem"]
    with _service(["dockerd", *hosts, *certificates, *folders, "--bridge=none"], home) as client:
        yield Service("docker", {"DOCKER_HOST": f"unix://{home}/sock"}, client, home, address)


@pytest.fixture(scope="session")
def podman_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    if shutil.which("podman") is None:
        absent("podman")
    home = tmp_path_factory.mktemp("podman")
    (home / "containers.conf").write_text(textwrap.dedent(_CONTAINERS_CONF))
    storage = [f"--root={home}/root", f"--runroot={home}/run", f"--tmpdir={home}/tmp", "--storage-driver=vfs"]
    command = ["podman", *storage, "system", "service", "--time=0", f"unix://{home}/sock"]
    with _service(command, home, {"CONTAINERS_CONF": f"{home}/containers.conf"}) as client:
        yield Service("podman", {"CONTAINER_HOST": f"unix://{home}/sock"}, client, home)


@contextmanager
def _service(command: list[str], home: Path, environment: Mapping[str, str] | None = None) -> Iterator[APIClient]:
    """Start an engine that listens on ``sock`` in its home, and end it with all that it started."""
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(environment or {})})
    try:
        deadline = time.monotonic() + _PATIENCE
        while not (home / "sock").exists():
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.1)
        client = APIClient(f"unix://{home}/sock", version="auto", timeout=_PATIENCE)
        yield client
        for container in client.containers(all=True):
            client.remove_container(container["Id"], force=True, v=True)
        client.close()
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(params=["dockerd", "podman_service"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Each engine in turn, as the one that answers; whatever a test leaves there is removed."""
    found: Service = request.getfixturevalue(request.param)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CANNERY_ENGINE", found.kind)
    yield found
    for container in found.client.containers(all=True):
        found.client.remove_container(container["Id"], force=True, v=True)


@pytest.fixture
def engine(service: Service) -> Engine:
    """Cannery's own view of it."""
    engine = find_engine(service.kind)
    assert engine is not None
    return engine


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose program does what its arguments say."""
    folder = tmp_path_factory.mktemp("tinned")
    (folder / "main.py").write_text(textwrap.dedent(PROGRAM))
    (folder / "pyproject.toml").write_text(textwrap.dedent(PYPROJECT).format(port=free_port()))
    return folder


def cannery(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cannery", *arguments]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False)
