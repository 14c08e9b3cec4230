"""Docker and Podman as people use them: by their command lines.

With CI set a missing engine is a failure; elsewhere its tests skip and say why.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.engine_services import engine_home, running_dockerd
from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EngineCommand", "docker", "each_engine", "podman"]


_HARDENED = ("--rm", "--read-only", "--cap-drop=all", "--network=none")


@dataclass(frozen=True)
class EngineCommand:
    """An engine's command line."""

    command: tuple[str, ...]
    hardened: tuple[str, ...] = _HARDENED

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.command, *arguments], capture_output=True, text=True, check=check)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a container hardened as far as an engine can."""
        return self("run", *self.hardened, *arguments, check=False)


@pytest.fixture(scope="session")
def docker() -> Iterator[EngineCommand]:
    """Docker: the engine that answers, or one of our own where there's none and root may start it."""
    if shutil.which("docker") is None:
        absent("the docker command")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        yield EngineCommand(("docker",))
        return
    with running_dockerd() as service:
        yield EngineCommand(("docker", "--host", service.environment["DOCKER_HOST"]))


@pytest.fixture(scope="session")
def podman() -> Iterator[EngineCommand]:
    """Podman, with a storage of its own."""
    if shutil.which("podman") is None:
        absent("podman")
    with engine_home("podman") as home:
        storage = (f"--root={home}/root", f"--runroot={home}/run", f"--tmpdir={home}/tmp")
        limits = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")  # to raise them may be forbidden
        podman = EngineCommand(("podman", *storage, "--cgroup-manager=cgroupfs"), (*_HARDENED, *limits))
        yield podman
        podman("system", "reset", "--force", check=False)


@pytest.fixture(scope="session", params=["docker", "podman"])
def each_engine(request: pytest.FixtureRequest) -> EngineCommand:
    """Each of them in turn."""
    engine: EngineCommand = request.getfixturevalue(request.param)
    return engine
