"""Docker and Podman on sockets of their own: what tests remove there is nobody's.

With CI set a missing engine is a failure; elsewhere its tests skip and say why.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from cannery.containers.engine.discovery import find_engine
from tests.support.engine_project import PROGRAM, PYPROJECT
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.containers.engine.engine import Engine
    from tests.support.engine_services import Service


@pytest.fixture(params=["dockerd", "podman_service"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Each engine in turn, as the one that answers; whatever a test leaves there is removed."""
    found: Service = request.getfixturevalue(request.param)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CANNERY_ENGINE", found.kind)
    yield found
    found.remove_containers()


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
    (folder / "pyproject.toml").write_text(textwrap.dedent(PYPROJECT).format(published=free_port(), port=free_port()))
    return folder


def cannery(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cannery", *arguments]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False)


def started(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """A run whose program is ready."""
    command = [sys.executable, "-m", "cannery", "run", "--", *arguments]
    process = subprocess.Popen(
        command, cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "ready\n", process.communicate()[1]
    return process
