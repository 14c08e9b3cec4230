"""``cannery run`` and the ports of a program that serves."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.containers.engine.conftest import started
from tests.support.engine_services import running_dockerd, running_podman

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.support.engine_services import Service

    Running = Callable[..., AbstractContextManager[Service]]

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces")
@pytest.mark.parametrize("running", [running_dockerd, running_podman])
def test_a_request_to_a_published_port_is_answered(
    project: Path, monkeypatch: pytest.MonkeyPatch, running: Running
) -> None:
    (ports,) = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["cannery"]["ports"]
    published, _, port = ports.partition(":")
    ask = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{published}/', timeout=9).status)"
    with running(apart=True) as service:
        for name, value in {**service.environment, "CANNERY_ENGINE": service.kind}.items():
            monkeypatch.setenv(name, value)
        network = f"--net=/proc/{service.process}/ns/net"
        with started(project, "serve", port) as process:
            done = subprocess.run(
                ["nsenter", network, sys.executable, "-c", ask], capture_output=True, text=True, check=False
            )
            assert done.stdout == "200\n", done.stderr
            assert process.wait(timeout=30) == 0
        assert service.containers() == []
