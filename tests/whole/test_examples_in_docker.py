"""The compiled service in Docker, on a base and on none: its own tests pass against it, and the audit lets it pass."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.built_image import build
from tests.support.ports import free_port
from tests.support.repository import EXAMPLES, assert_tests_pass, copy_example

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine_services import Service
    from tests.support.registry import Base

pytestmark = [pytest.mark.once, pytest.mark.slow]

_WORKERS = 2


@contextmanager
def served_in_docker(docker: Service, image: str) -> Iterator[str]:
    """The URL of the service, hardened as far as Docker can; it must end on SIGTERM, not be killed."""
    port = free_port()
    client = docker.client
    hardened = client.create_host_config(read_only=True, tmpfs={"/tmp": ""}, cap_drop=["ALL"], network_mode="host")
    command = ["--host=127.0.0.1", f"--port={port}", f"--workers={_WORKERS}"]
    container = client.create_container(image, command=command, host_config=hardened)["Id"]
    try:
        client.start(container)
        wait_for(f"http://127.0.0.1:{port}/health", docker, container)
        yield f"http://127.0.0.1:{port}"
        client.stop(container, timeout=60)
        assert client.inspect_container(container)["State"]["ExitCode"] == 0
    finally:
        client.remove_container(container, force=True)


def wait_for(url: str, docker: Service, container: str) -> None:
    """Wait until the service answers and all its workers have started: told to end before that, Sanic ends with 1."""
    deadline = time.monotonic() + 60
    while not answers(url) or docker.client.logs(container).count(b"Starting worker") < _WORKERS:
        assert docker.client.inspect_container(container)["State"]["Running"], docker.client.logs(container)
        assert time.monotonic() < deadline, docker.client.logs(container)
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether the service answers."""
    try:
        urllib.request.urlopen(url).close()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


def audited(archive: Path, folder: Path) -> tuple[int, set[str]]:
    """The exit code of the audit, and what it found of the app's own source."""
    command = [sys.executable, "-m", "cannery", "audit", f"--image={archive}", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, {each["id"] for each in json.loads(done.stdout)["findings"]} & {
        "CAN101",
        "CAN102",
        "CAN103",
    }


@pytest.mark.parametrize(("recipe", "compiled"), [("cython", "false"), ("scratch", "true")])
def test_the_compiled_service_answers_and_passes_the_audit(
    recipe: str, compiled: str, dockerd: Service, slim_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANNERY_COMPILE", compiled)
    folder = copy_example("demo_server", tmp_path)
    image = build(folder, tmp_path / "image.tar", f"--recipe={recipe}", f"--base={slim_base.reference}")
    with image.archive.open("rb") as stream:
        list(dockerd.client.load_image(stream))
    with served_in_docker(dockerd, image.reference) as url:
        assert_tests_pass(EXAMPLES / "demo_server/tests/test_service.py", DEMO_SERVER_URL=url)
    code, found = audited(image.archive, folder)
    assert (code, found) == (0, set())


def test_the_service_as_bytecode_fails_the_audit(tmp_path: Path) -> None:
    folder = copy_example("demo_server", tmp_path)
    image = build(folder, tmp_path / "image.tar")
    assert audited(image.archive, folder) == (9, {"CAN102"})
