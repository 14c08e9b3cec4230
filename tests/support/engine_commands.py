"""Docker and Podman as people use them: by their command lines.

With CI set a missing engine is a failure; elsewhere its tests skip and say why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Engine", "docker", "each_engine", "podman"]


@dataclass(frozen=True)
class Engine:
    """An engine's command line."""

    command: tuple[str, ...]
    hardened: tuple[str, ...] = ("--rm", "--read-only", "--cap-drop=all", "--network=none")

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.command, *arguments], capture_output=True, text=True, check=check)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a container hardened as far as an engine can."""
        return self("run", *self.hardened, *arguments, check=False)


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Docker: the engine that answers, or one of our own where there's none and root may start it."""
    if shutil.which("docker") is None:
        absent("the docker command")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        yield Engine(("docker",))
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        absent("a Docker engine that answers")
    home = tmp_path_factory.mktemp("docker")
    socket = f"unix://{home}/docker.sock"
    command = ["dockerd", "--host", socket, "--data-root", f"{home}/data", "--exec-root", f"{home}/exec"]
    with (home / "log").open("wb") as log:
        engine = subprocess.Popen([*command, "--pidfile", f"{home}/pid", "--bridge=none"], stdout=log, stderr=log)
    docker = Engine(("docker", "--host", socket))
    try:
        while docker("info", check=False).returncode != 0:
            assert engine.poll() is None, (home / "log").read_text()
            time.sleep(0.2)
        yield docker
    finally:
        engine.terminate()
        engine.wait()


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Podman, with a storage of its own."""
    if shutil.which("podman") is None:
        absent("podman")
    home = tmp_path_factory.mktemp("podman")
    storage = (f"--root={home}/root", f"--runroot={home}/run", f"--tmpdir={home}/tmp", "--storage-driver=vfs")
    podman = Engine(
        ("podman", *storage, "--cgroup-manager=cgroupfs"),
        (
            "--rm",
            "--read-only",
            "--cap-drop=all",
            "--network=none",
            "--ulimit=nofile=1024:1024",
            "--ulimit=nproc=1024:1024",
        ),
    )
    yield podman
    podman("system", "reset", "--force", check=False)


@pytest.fixture(scope="session", params=["docker", "podman"])
def each_engine(request: pytest.FixtureRequest) -> Engine:
    """Each of them in turn."""
    engine: Engine = request.getfixturevalue(request.param)
    return engine
