"""Engines that break while they're used: one clear message, and nothing half-done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.containers.engine.conftest import cannery
from tests.support.breakable_socket import BreakableSocket
from tests.support.engine_services import running_dockerd

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine_services import Service

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.fixture
def new_image(project: Path, tmp_path: Path) -> Path:
    """A project whose image no engine has: some megabytes that can't be compressed."""
    shutil.copytree(project, tmp_path / "new")
    (tmp_path / "new" / "noise.bin").write_bytes(os.urandom(8_000_000))
    with (tmp_path / "new" / "pyproject.toml").open("a") as file:
        file.write('resources = ["noise.bin"]\n')
    return tmp_path / "new"


def test_an_engine_that_dies_during_a_load_keeps_nothing_of_the_image(
    service: Service, new_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (variable,) = service.environment
    before = {image["Id"] for image in service.client.images(all=True)}
    with BreakableSocket(tmp_path / "s", service.home / "sock", limit=5_000_000):
        monkeypatch.setenv(variable, f"unix://{tmp_path}/s")
        done = cannery("image", cwd=new_image)
    assert done.returncode == 6
    assert done.stderr.count("error: ") == 1
    assert "is gone" in done.stderr
    assert "Next: look whether it still runs" in done.stderr
    assert {image["Id"] for image in service.client.images(all=True)} == before
    monkeypatch.setenv(variable, f"unix://{service.home}/sock")
    assert json.loads(cannery("image", "--json", cwd=new_image).stdout)["engine"]["state"] == "loaded"


def test_an_engine_that_dies_while_a_program_runs_is_told(
    service: Service, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (variable,) = service.environment
    with BreakableSocket(tmp_path / "s", service.home / "sock") as line:
        monkeypatch.setenv(variable, f"unix://{tmp_path}/s")
        command = [sys.executable, "-m", "cannery", "run", "--", "wait"]
        run = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        line.cut()
        stderr = run.communicate(timeout=30)[1]
    assert run.returncode == 6
    assert stderr.count("error: ") == 1
    assert "is gone" in stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_socket_that_is_not_for_us_is_told(dockerd: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", dockerd.environment["DOCKER_HOST"])
    # The Python that runs the tests may lie in root's home: its files can be read, and nothing else is allowed.
    somebody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    command = [*somebody, *reading, sys.executable, "-m", "cannery", "ps", "--engine=docker"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "error: you may not talk to Docker" in done.stderr
    assert f"{dockerd.environment['DOCKER_HOST']} (DOCKER_HOST): Permission denied" in done.stderr
    assert "Next: join its group" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_disk_that_is_full_on_the_engine_s_side_is_told(
    new_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20M", "tmpfs", small], check=True)
    try:
        with running_dockerd(data=small) as service:
            monkeypatch.setenv("DOCKER_HOST", f"unix://{service.home}/sock")
            done = cannery("image", "--engine=docker", cwd=new_image)
            assert done.returncode == 6
            assert "no space left on device" in done.stderr
            assert "Next: free space where the engine keeps its images" in done.stderr
            assert service.client.images(all=True) == []
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)
