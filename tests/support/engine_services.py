"""Docker and Podman on sockets of their own, started for tests and ended with all that they started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import textwrap
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docker import APIClient

from cannery.containers.engine.unix_http import ask
from tests.support.ports import free_port
from tests.support.prerequisites import absent
from tests.support.remote_engines import make_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.containers.engine.discovery import Choice

__all__ = ["Service", "dockerd", "engine_home", "podman_service", "running_dockerd", "running_podman"]

_PATIENCE = 60  # seconds for an engine to start

# Raising limits is forbidden on some machines that tests run on.
_CONTAINERS_CONF = """
    [containers]
    default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]

    [engine]
    init_path = "{init}"
    cgroup_manager = "cgroupfs"
    events_logger = "file"

    [network]
    network_config_dir = "{home}/networks"
"""

_BRIDGE = {"type": "bridge", "bridge": "apart", "isGateway": True, "ipMasq": True}
_PORTS = {"type": "portmap", "capabilities": {"portMappings": True}}

_INITS = ("catatonit", "tini-static", "docker-init")  # static ones: containers have no library for them

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
    with running_dockerd() as service:
        yield service


@pytest.fixture(scope="session")
def podman_service() -> Iterator[Service]:
    with running_podman() as service:
        yield service


@contextmanager
def running_dockerd(*, data: Path | None = None, apart: bool = False, options: Sequence[str] = ()) -> Iterator[Service]:
    """Docker; ``data`` is where it keeps its images.

    Its containers have a network where it stands ``apart``: in a network namespace, whose bridges are nobody else's.
    """
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        absent("dockerd, and root to start it")
    with engine_home("docker") as home:
        make_certificates(home)
        folders = [f"--data-root={data or home / 'data'}", f"--exec-root={home}/exec", f"--pidfile={home}/pid"]
        address = f"tcp://127.0.0.1:{free_port()}"
        hosts = [f"--host=unix://{home}/sock", f"--host={address}", "--tlsverify"]
        certificates = [f"--tlscacert={home}/ca.pem", f"--tlscert={home}/cert.pem", f"--tlskey={home}/key.pem"]
        command = [
            "dockerd",
            *hosts,
            *certificates,
            *folders,
            *_NO_RULES,
            *options,
            *([] if apart else ["--bridge=none"]),
        ]
        try:
            with _answering(command, home, apart=apart) as (client, process):
                yield Service("docker", {"DOCKER_HOST": f"unix://{home}/sock"}, client, process, home, address)
        finally:  # Docker leaves a mount behind, below which nothing can be removed
            subprocess.run(["umount", f"{home}/exec/netns/default"], stderr=subprocess.DEVNULL, check=False)


@contextmanager
def running_podman(*, apart: bool = False, init: str | None = None) -> Iterator[Service]:
    """Podman's service, where wanted ``apart`` as Docker; ``init`` is the path of what is process 1 in containers."""
    if shutil.which("podman") is None:
        absent("podman")
    with engine_home("podman") as home:
        init = init or next(filter(None, map(shutil.which, _INITS)), "")
        (home / "containers.conf").write_text(textwrap.dedent(_CONTAINERS_CONF).format(init=init, home=home))
        _write_network(home, apart=apart)
        environment = {"CONTAINERS_CONF": f"{home}/containers.conf"}
        storage = [f"--root={home}/root", f"--runroot={home}/run", f"--tmpdir={home}/tmp"]
        command = ["podman", *storage, "system", "service", "--time=0", f"unix://{home}/sock"]
        try:
            with _answering(command, home, environment, apart=apart) as (client, process):
                yield Service("podman", {"CONTAINER_HOST": f"unix://{home}/sock"}, client, process, home)
        finally:  # Podman leaves a mount behind, too
            subprocess.run(["umount", f"{home}/root/overlay"], stderr=subprocess.DEVNULL, check=False)


def _write_network(home: Path, *, apart: bool) -> None:
    """Give Podman its network: a bridge where it stands ``apart``, else one that leads nowhere.

    A published port is a rule of the firewall. Who is killed leaves it behind in the machine's own network, and
    whatever gets that port later, be it weeks, is not reached (https://www.cni.dev/plugins/current/meta/portmap/).
    """
    leases = {"type": "host-local", "dataDir": f"{home}/leases", "ranges": [[{"subnet": "10.88.0.0/16"}]]}
    bridge = {**_BRIDGE, "ipam": {**leases, "routes": [{"dst": "0.0.0.0/0"}]}}
    network = {
        "cniVersion": "0.4.0",
        "name": "podman",
        "plugins": [bridge, _PORTS] if apart else [{"type": "loopback"}],
    }
    (home / "networks").mkdir()
    (home / "networks/podman.conflist").write_text(json.dumps(network))


def _answers(socket: Path) -> bool:
    """Whether an engine listens there, and is ready."""
    try:
        return ask(str(socket), "/version").status == HTTPStatus.OK
    except (OSError, ValueError):
        return False


@contextmanager
def _answering(
    command: list[str], home: Path, environment: Mapping[str, str] | None = None, *, apart: bool
) -> Iterator[tuple[APIClient, int]]:
    """Start an engine that listens on ``sock`` in its home, and end it with all that it started."""
    command = [*(_ALONE if apart else []), *command]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(environment or {})})
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _answers(home / "sock"):
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.1)
        client = APIClient(f"unix://{home}/sock", version="auto", timeout=_PATIENCE)
        yield client, process.pid
        for container in client.containers(all=True):
            client.remove_container(container["Id"], force=True, v=True)
        client.close()
    finally:
        process.terminate()
        process.wait()
