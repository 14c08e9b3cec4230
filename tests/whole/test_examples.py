"""The examples in their images, as bytecode and compiled: they answer as they do from source, and end when told to."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.ports import free_port
from tests.support.repository import EXAMPLES, assert_tests_pass, copy_example

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.once, pytest.mark.slow]

CANNERY = (sys.executable, "-m", "cannery")
COMPILED = pytest.mark.parametrize("compiled", ["false", "true"], ids=["bytecode", "compiled"])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The URL of a service that runs in its image; it must end when told to, and leave nothing."""
    port = str(free_port())
    command = [*CANNERY, "run", "--", "--host=127.0.0.1", f"--port={port}", "--workers=2"]
    subprocess.run([*CANNERY, "image", "--json", f"--output={folder}/image.tar"], cwd=folder, check=True)
    with subprocess.Popen(command, cwd=folder) as program:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", program)
            yield f"http://127.0.0.1:{port}"
        finally:
            program.send_signal(signal.SIGTERM)
            code = program.wait(timeout=30)
    assert code == 0  # one that doesn't listen is killed
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if f"--port={port}" in words_of(path)]


def words_of(cmdline: Path) -> list[str]:
    """The words of a process's command; none of one that is gone."""
    try:
        return cmdline.read_text().split("\0")
    except OSError:
        return []


def wait_for(url: str, program: subprocess.Popen[bytes]) -> None:
    """Wait until the service answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url).close()
        except urllib.error.URLError:
            assert program.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it doesn't answer"
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def project(tmp_path: Path, compiled: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a copy of an example goes."""
    monkeypatch.setenv("CANNERY_COMPILE", compiled)
    return tmp_path


@COMPILED
def test_the_api_answers(project: Path) -> None:
    with served(copy_example("random_api", project)) as url:
        assert_tests_pass(EXAMPLES / "random_api/tests/test_api.py", RANDOM_API_URL=url)


@COMPILED
def test_the_service_finds_its_parts(project: Path) -> None:
    with served(copy_example("demo_server", project)) as url:
        assert_tests_pass(EXAMPLES / "demo_server/tests/test_service.py", DEMO_SERVER_URL=url)


@COMPILED
def test_the_command_line_greets(project: Path) -> None:
    folder = copy_example("greeter", project)
    assert_tests_pass(EXAMPLES / "greeter/tests", GREETER=shlex.join([*CANNERY, "run", f"--project={folder}", "--"]))
