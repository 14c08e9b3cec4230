"""Builds that are stopped at every step: what they leave, and that the next one is right."""

from __future__ import annotations

import os
import random
import signal
import termios
import textwrap
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from cannery import __version__
from tests.support.command import COMMAND, assert_whole, environment, finished, image_digest, read_until, started
from tests.support.wheels import only_from
from tests.whole.bad_input.conftest import FAST

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import MakeProject
    from tests.whole.bad_input.conftest import NewCache

pytestmark = pytest.mark.once

PROJECT = {"main.py": "import tin\n", "requirements.txt": "tin\n"}
STEPS = (
    "reading requirements.txt",
    "installing the dependencies",
    "looking for shared libraries",
    "making bytecode",
    "packing runtime",
    "packing dependencies",
    "packing app",
    "writing the archive",
)


@dataclass(frozen=True)
class Build:
    """A project, a cache that no other build uses, and the digest that comes of it undisturbed."""

    project: Path
    cache: Path
    digest: str
    mark: str  # by which its processes are known

    def start(self) -> subprocess.Popen[str]:
        """Start a build as the leader of a process group of its own."""
        return started(self.project, **self.changes)

    @property
    def changes(self) -> dict[str, str]:
        """What is changed in the environment of a build."""
        return {"CANNERY_CACHE": str(self.cache), "MARK": self.mark, "TERM": "xterm"}

    def assert_next_is_right(self) -> None:
        """The next build is the one that nobody disturbed, and takes away what the others left."""
        assert image_digest(self.project, CANNERY_CACHE=str(self.cache)) == self.digest
        assert_whole(self.project, self.cache)

    def assert_clean(self) -> None:
        """Nothing is left of a build that had the time to clean up: no process, and no temporary folder."""
        assert not self.processes()
        assert not list((self.cache / __version__ / "tmp").glob("*"))
        assert_whole(self.project)

    def processes(self) -> list[str]:
        """The commands that the builds started and that still run."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it has ended, or is another user's
        return found


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory, warm: Path, index: Path) -> str:
    """What comes of the project when nobody disturbs its build."""
    project = tmp_path_factory.mktemp("undisturbed") / "project"
    project.mkdir()
    for name, text in PROJECT.items():
        (project / name).write_text(text)
    return image_digest(project, CANNERY_CACHE=str(warm), **only_from(index), **FAST)


@pytest.fixture
def build(make_project: MakeProject, tmp_path: Path, new_cache: NewCache, digest: str) -> Build:
    cache = new_cache(tmp_path / "cache")
    for path in sorted((cache / __version__ / "bytecode").glob("*/*"))[::4]:
        path.unlink()  # so that there is something to compile
    return Build(make_project(PROJECT), cache, digest, f"mark-{uuid.uuid4()}")


@pytest.mark.once
def test_kill_9_at_every_step(build: Build) -> None:
    for step in STEPS:
        with build.start() as process:
            read_until(process, step)
            os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert_whole(build.project)
    build.assert_next_is_right()


@pytest.mark.once
def test_kill_9_of_the_command_alone_at_any_moment(build: Build) -> None:
    moments = random.Random(1847)  # the year of the first stamped can
    for _ in range(6):
        with build.start() as process:
            time.sleep(moments.uniform(0.2, 1))
            process.kill()
        assert_whole(build.project)
    while build.processes():
        time.sleep(0.05)  # what it had started ends by itself
    build.assert_next_is_right()


@pytest.mark.parametrize(
    ("number", "word"),
    [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupted"), (signal.SIGHUP, "hung up")],
    ids=["SIGTERM", "SIGINT", "SIGHUP"],
)
def test_a_signal_to_the_command_alone_ends_it_and_what_it_started(
    build: Build, number: signal.Signals, word: str
) -> None:
    for step in ("installing the dependencies", "making bytecode", "packing runtime"):
        with build.start() as process:
            read_until(process, step)
            process.send_signal(number)
            _, rest = process.communicate()
        assert process.returncode == 128 + number, rest
        assert rest.splitlines()[-1] == word
        assert "Traceback" not in rest
        build.assert_clean()
    build.assert_next_is_right()


@pytest.mark.once
def test_ctrl_c_on_a_terminal(build: Build) -> None:
    for step in ("installing the dependencies", "making bytecode", "packing runtime"):
        command, *arguments = (*COMMAND, "image")
        terminal = pexpect.spawn(
            command, arguments, cwd=str(build.project), env=environment(build.changes), encoding="utf-8", timeout=60
        )
        before = termios.tcgetattr(terminal.child_fd)
        terminal.expect_exact(step)
        terminal.sendcontrol("c")
        terminal.expect(pexpect.EOF)
        after = termios.tcgetattr(terminal.child_fd)
        shown = terminal.before or ""
        terminal.close()
        assert terminal.exitstatus == 128 + signal.SIGINT, shown
        assert shown.count("interrupted") == 1
        assert "Traceback" not in shown
        assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l"), "the cursor is there again"
        assert before == after
        build.assert_clean()
    build.assert_next_is_right()


def test_ctrl_c_before_anything_has_begun(build: Build) -> None:
    moments = random.Random(1810)  # the year of the patent
    for _ in range(4):
        with build.start() as process:
            time.sleep(moments.uniform(0.05, 0.3))
            process.send_signal(signal.SIGINT)
            _, rest = process.communicate()
        assert process.returncode in {-signal.SIGINT, 128 + signal.SIGINT, 1}
        assert "tasks" not in rest, "Python itself may show a traceback before it has begun; the command may not"
        build.assert_clean()


def test_a_signal_is_not_lost_where_python_loses_exceptions(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import os, signal, sys, time
            from invoke.exceptions import Exit
            from cannery.tasks.ending import friendly

            class Callback:
                def __del__(self):
                    os.kill(os.getpid(), signal.SIGTERM)
                    time.sleep(60)

            @friendly
            def task():
                Callback()
                time.sleep(60)

            try:
                task()
            except Exit as stopped:
                sys.exit(stopped.code)
        """)
    )
    outcome = finished([COMMAND[0], str(script)])
    assert (outcome.code, outcome.stderr) == (128 + signal.SIGTERM, "terminated\n")
