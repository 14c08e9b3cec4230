"""Engines that no socket of this machine leads to: by TCP with certificates, by a Docker context, by SSH."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.containers.engine.conftest import cannery
from tests.support.python_prompt import interrupt
from tests.support.remote_engines import ssh_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine_services import Service

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """An SSH server's address, and the folder of the command that knows the way."""
    folder = tmp_path_factory.mktemp("ssh")
    with ssh_server(folder) as address:
        yield address, folder


def certified(dockerd: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CANNERY_ENGINE": "docker",
        "DOCKER_HOST": dockerd.tcp,
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(dockerd.home),
    }.items():
        monkeypatch.setenv(name, value)


def assert_serves(project: Path, service: Service) -> None:
    """An image is loaded, and run with its streams, exit code and terminal, and nothing is left."""
    loaded = cannery("image", "--json", "--tag=elsewhere", cwd=project)
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout)["engine"]["state"] in {"loaded", "present"}
    given = "in\n" * 100_000
    done = cannery("run", "--", "streams", cwd=project, stdin=given)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout == given
    assert done.stderr.endswith("e" * 200_000)
    assert cannery("run", "--", "fail", cwd=project).returncode == 3
    command = ["-m", "cannery", "explore"]
    child = pexpect.spawn(sys.executable, command, cwd=str(project), encoding="utf-8", timeout=60)
    child.expect(">>> ")
    interrupt(child)
    child.sendline("print(6 * 7)")
    child.expect("42")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert service.containers() == []


def test_docker_by_tcp_with_certificates(dockerd: Service, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certified(dockerd, monkeypatch)
    assert_serves(project, dockerd)


@pytest.mark.once
def test_docker_by_a_context_with_certificates(
    dockerd: Service, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    files = ",".join(f"{name}={dockerd.home}/{name}.pem" for name in ("ca", "cert", "key"))
    create = ["docker", "context", "create", "farm", "--docker", f"host={dockerd.tcp},{files}"]
    subprocess.run(create, check=True, capture_output=True)
    subprocess.run(["docker", "context", "use", "farm"], check=True, capture_output=True)
    monkeypatch.setenv("CANNERY_ENGINE", "docker")
    assert_serves(project, dockerd)


@pytest.mark.once
def test_a_client_without_a_certificate_is_told(
    dockerd: Service, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certified(dockerd, monkeypatch)
    monkeypatch.delenv("DOCKER_CERT_PATH")
    monkeypatch.delenv("DOCKER_TLS_VERIFY")
    done = cannery("run", cwd=project)
    assert done.returncode == 6
    assert "DOCKER_TLS_VERIFY" in done.stderr


@pytest.mark.once
@pytest.mark.parametrize("path", ["sock", "gone"])
def test_an_engine_by_ssh(
    service: Service, project: Path, ssh: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    address, folder = ssh
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    (variable,) = service.environment
    monkeypatch.setenv(variable, f"{address}{service.home}/{path}")
    if path == "sock":
        assert_serves(project, service)
    else:
        done = cannery("run", cwd=project)
        assert done.returncode == 6
        assert f"{service.kind.capitalize()} is not running, or does not answer" in done.stderr


@pytest.mark.once
def test_a_machine_that_lets_nobody_in_is_told_in_the_words_of_ssh(
    project: Path, ssh: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = ssh
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_HOST", address.replace("ssh://", "ssh://nobody-").replace("nobody-root", "nobody"))
    done = cannery("run", "--engine=docker", cwd=project)
    assert done.returncode == 6
    assert "Permission denied" in done.stderr
