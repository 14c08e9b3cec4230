"""``invoke watch``: what changes goes into what runs, and the program starts again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from queue import Empty, Queue
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.engine_services import Service

pytestmark = pytest.mark.once

_LONG = 120  # seconds for what is to come

PYPROJECT = """\
[project]
name = "watched"
version = "1"

[tool.cannery]
entry = "main.py"
"""
MAIN = """\
import signal, sys, helper

signal.signal(signal.SIGHUP, lambda *_: print("told", flush=True))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
print(f"{helper.TEXT} {sys.argv[1:]}", flush=True)
if helper.TEXT == "brief":
    sys.exit(3)
while True:
    signal.pause()
"""


class Watching:
    """The command, whose lines are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: Queue[str] = Queue()
        self.seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip())

    def sees(self, text: str) -> str:
        """The next line that has ``text``."""
        while True:
            try:
                line = self._lines.get(timeout=_LONG)
            except Empty:
                raise AssertionError(f"{text!r} did not come; what came: {self.seen}") from None
            self.seen.append(line)
            if text in line:
                return line

    def ends(self, number: int = signal.SIGTERM) -> int:
        """The exit code once it's sent a signal."""
        self.process.send_signal(number)
        return self.process.wait(_LONG)


@contextmanager
def watching(folder: Path, engine: str, environment: Mapping[str, str]) -> Iterator[Watching]:
    command = [sys.executable, "-m", "cannery", "watch", "--engine", engine, "--", "one", "two"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Watching(process)
        finally:
            process.kill()


def write(folder: Path, text: str) -> None:
    (folder / "helper.py").write_text(f"TEXT = {text!r}\n", encoding="utf-8")


@pytest.fixture
def folder(make_project: MakeProject) -> Path:
    return make_project({"main.py": MAIN, "helper.py": "TEXT = 'first'\n", "pyproject.toml": PYPROJECT})


def go_through_changes(folder: Path, engine: str, environment: Mapping[str, str], *, inside: bool) -> None:
    """Change files in all ways; those that can go ``inside`` a running container do."""
    how = "1 file put in, and the program started again" if inside else "it starts in another container"
    ended = "the program has ended"
    with watching(folder, engine, environment) as found:
        found.sees("first ['one', 'two']")
        write(folder, "second")
        found.sees("second ['one', 'two']")
        (folder / "helper.py").write_text("TEXT = 'open\n", encoding="utf-8")
        found.sees("helper.py changed: ")
        write(folder, "brief")
        found.sees("brief ['one', 'two']")
        found.sees(ended)
        write(folder, "third")
        found.sees("third ['one', 'two']")
        (folder / "more.py").write_text("", encoding="utf-8")
        found.sees("third ['one', 'two']")
        (folder / "more.py").unlink()
        found.sees("more.py changed: it starts in another container")
        found.sees("third ['one', 'two']")
        assert found.ends() == 5
        assert any(f"helper.py changed: {how}" in line for line in found.seen), found.seen


@pytest.mark.slow
def test_without_an_engine_the_program_starts_over_another_root(folder: Path) -> None:
    go_through_changes(folder, "none", {}, inside=False)


def test_in_docker_files_go_into_the_container(folder: Path, dockerd: Service) -> None:
    go_through_changes(folder, "docker", dockerd.environment, inside=True)
    assert dockerd.containers() == []


def test_in_podman_files_go_into_the_container(folder: Path, podman_service: Service) -> None:
    go_through_changes(folder, "podman", podman_service.environment, inside=True)
    assert podman_service.containers() == []


def test_a_program_can_be_told_by_a_signal(folder: Path, dockerd: Service) -> None:
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + 'watch-signal = "SIGHUP"\n', encoding="utf-8")
    with watching(folder, "docker", dockerd.environment) as found:
        found.sees("first ['one', 'two']")
        write(folder, "second")
        found.sees("told")
        assert found.ends() == 5
        assert not [line for line in found.seen if line.startswith("second")]
