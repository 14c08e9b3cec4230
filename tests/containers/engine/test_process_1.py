"""What ordinary processes may rely on, in each engine and with none: that is the business of process 1."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.containers.engine.conftest import cannery, started
from tests.support.engine_services import running_dockerd, running_podman

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.fixture(params=["none", "dockerd", "podman_service"], autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each engine in turn, and the embedded runner."""
    if request.param == "none":
        monkeypatch.setenv("CANNERY_ENGINE", "none")
        return
    service = request.getfixturevalue(request.param)
    for name, value in service.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CANNERY_ENGINE", service.kind)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGKILL])
def test_a_signal_to_itself_ends_a_program(project: Path, number: signal.Signals) -> None:
    done = cannery("run", "--", "itself", str(int(number)), cwd=project)
    assert "still here" not in done.stdout
    assert done.returncode == 128 + number


def test_a_program_can_abort(project: Path) -> None:
    assert cannery("run", "--", "abort", cwd=project).returncode == 128 + signal.SIGABRT


def test_orphans_are_reaped(project: Path) -> None:
    assert cannery("run", "--", "orphan", cwd=project).stdout == "reaped\n"


def test_sigterm_ends_a_program_that_does_not_handle_it(project: Path) -> None:
    with started(project, "wait") as process:
        process.terminate()
        process.wait()
    assert process.returncode == 128 + signal.SIGTERM


def test_a_signal_to_the_whole_group_reaches_the_program_once(project: Path) -> None:
    command = [sys.executable, "-m", "cannery", "run", "--", "count"]
    with subprocess.Popen(command, cwd=project, start_new_session=True, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == "1\n"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["none"], indirect=True)
@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_an_engine_without_an_init_is_told_and_runs_the_program(
    kind: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = (
        running_dockerd(options=["--init-path=/no/such/init"])
        if kind == "docker"
        else running_podman(init="/no/such/init")
    )
    with lacking as service:
        for name, value in {**service.environment, "CANNERY_ENGINE": kind}.items():
            monkeypatch.setenv(name, value)
        done = cannery("run", "--", "fail", cwd=project)
        left = service.containers()
    assert done.returncode == 3
    assert "has no init to be process 1" in done.stderr
    assert left == []
