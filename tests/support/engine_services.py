"""Docker and Podman on sockets of their own, started for tests and ended with all that they started."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import textwrap
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docker import APIClient
from docker.errors import DockerException

from tests.support.ports import free_port
from tests.support.prerequisites import absent
from tests.support.remote_engines import make_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.containers.engine.discovery import Choice

__all__ = ["Service", "dockerd", "engine_home", "podman_service", "running_dockerd", "running_podman"]

_PATIENCE = 60  # seconds for an engine to start

# Raising limits is forbidden on some machines that tests run on.
_CONTAINERS_CONF = """
    [containers]
    default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]

    [engine]
    cgroup_manager = "cgroupfs"
    events_logger = "file"
"""

_ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
_NO_RULES = ["--iptables=false", "--ip6tables=false"]  # of the firewall, over which two that start at once fall out


@dataclass(frozen=True)
class Service:
    """An engine that answers, and how people point to it."""

    kind: Choice
    environment: Mapping[str, str]
    client: APIClient
    process: int  # its ID
    home: Path  # its socket is "sock" there, its certificates "ca.pem", "cert.pem" and "key.pem"
    tcp: str = ""  # where else it listens, and wants a certificate

    def containers(self) -> list[str]:
        """The names of all containers."""
        return [name for found in self.client.containers(all=True) for name in found["Names"]]

    def remove_containers(self) -> None:
        """Remove whatever is there."""
        for container in self.client.containers(all=True):
            self.client.remove_container(container["Id"], force=True, v=True)


@contextmanager
def engine_home(engine: str) -> Iterator[Path]:
    """A folder for what an engine keeps, as close to the root as one wants it: Podman takes paths of 50 bytes."""
    home = Path(tempfile.mkdtemp(prefix=f"{engine}-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Service]:
    with engine_home("docker") as home, running_dockerd(home) as service:
        yield service


@pytest.fixture(scope="session")
def podman_service() -> Iterator[Service]:
    with engine_home("podman") as home, running_podman(home) as service:
        yield service


@contextmanager
def running_dockerd(home: Path, *, data: Path | None = None, apart: bool = False) -> Iterator[Service]:
    """Docker; ``data`` is where it keeps its images.

    Its containers have a network where it stands ``apart``: in a network namespace, whose bridges are nobody else's.
    """
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        absent("dockerd, and root to start it")
    make_certificates(home)
    folders = [f"--data-root={data or home / 'data'}", f"--exec-root={home}/exec", f"--pidfile={home}/pid"]
    hosts = [f"--host=unix://{home}/sock", f"--host={(address := f'tcp://127.0.0.1:{free_port()}')}", "--tlsverify"]
    certificates = [f"--tlscacert={home}/ca.pem", f"--tlscert={home}/cert.pem", f"--tlskey={home}/key.pem"]
    command = ["dockerd", *hosts, *certificates, *folders, *_NO_RULES, *([] if apart else ["--bridge=none"])]
    with _answering([*(_ALONE if apart else []), *command], home) as (client, process):
        yield Service("docker", {"DOCKER_HOST": f"unix://{home}/sock"}, client, process, home, address)


@contextmanager
def running_podman(home: Path, *, apart: bool = False) -> Iterator[Service]:
    """Podman's service, where wanted ``apart`` as Docker."""
    if shutil.which("podman") is None:
        absent("podman")
    (home / "containers.conf").write_text(textwrap.dedent(_CONTAINERS_CONF))
    storage = [f"--root={home}/root", f"--runroot={home}/run", f"--tmpdir={home}/tmp"]
    command = ["podman", *storage, "system", "service", "--time=0", f"unix://{home}/sock"]
    with _answering([*(_ALONE if apart else []), *command], home, {"CONTAINERS_CONF": f"{home}/containers.conf"}) as (
        client,
        process,
    ):
        yield Service("podman", {"CONTAINER_HOST": f"unix://{home}/sock"}, client, process, home)


def _client(socket: Path) -> APIClient | None:
    """What asks the engine that listens there, if one answers already."""
    try:
        return APIClient(f"unix://{socket}", version="auto", timeout=_PATIENCE)
    except DockerException:
        return None


@contextmanager
def _answering(
    command: list[str], home: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[APIClient, int]]:
    """Start an engine that listens on ``sock`` in its home, and end it with all that it started."""
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(environment or {})})
    try:
        deadline = time.monotonic() + _PATIENCE
        while (client := _client(home / "sock")) is None:
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.1)
        yield client, process.pid
        for container in client.containers(all=True):
            client.remove_container(container["Id"], force=True, v=True)
        client.close()
    finally:
        process.terminate()
        process.wait()
