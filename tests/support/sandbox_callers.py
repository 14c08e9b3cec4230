"""Processes that run a container, each as a user of its own: what the runner does needs no fresh Python for that."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from cannery.containers.sandbox.refusal import explain  # noqa: F401  # can't be imported later by who may not read the sources
from cannery.containers.sandbox.runner import run_container
from cannery.containers.sandbox.syscalls import prctl
from cannery.errors import CanneryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cannery.containers.sandbox.container import Container

__all__ = ["Caller", "Ended", "Running", "on_a_terminal", "under_a_shell"]

_PR_SET_DUMPABLE = 4
_PATIENCE = 60  # seconds until a test that hangs fails


@dataclass(frozen=True)
class Ended:
    """How a caller ended, and what it and its container wrote."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Running:
    """A caller that runs."""

    pid: int
    stdout: int
    stderr: int
    _seen: dict[int, bytes] = field(default_factory=dict)

    def read_line(self) -> str:
        """The next line on standard output."""
        while b"\n" not in self._seen.get(self.stdout, b""):
            assert not self._fill([self.stdout]), f"the output ends with {self._seen}"
        line, _, self._seen[self.stdout] = self._seen[self.stdout].partition(b"\n")
        return line.decode()

    def kill(self, number: signal.Signals) -> None:
        """Send the caller, and no other process, a signal."""
        os.kill(self.pid, number)

    def wait(self) -> Ended:
        """Read to the end of both streams, which is where the last process that has them ends."""
        streams = {self.stdout, self.stderr}
        while streams:
            streams -= self._fill([*streams])
        _, status = os.waitpid(self.pid, 0)
        for stream in (self.stdout, self.stderr):
            os.close(stream)
        return Ended(
            os.waitstatus_to_exitcode(status), *(self._seen.get(s, b"").decode() for s in (self.stdout, self.stderr))
        )

    def _fill(self, streams: list[int]) -> set[int]:
        ready, _, _ = select.select(streams, [], [], _PATIENCE)
        assert ready, f"nothing was written for {_PATIENCE} s; till then: {self._seen}"
        ended = set()
        for stream in ready:
            if data := os.read(stream, 1 << 16):
                self._seen[stream] = self._seen.get(stream, b"") + data
            else:
                ended.add(stream)
        return ended


@dataclass(frozen=True)
class Caller:
    """Somebody who runs containers: the user of the tests, or one with an ID of its own."""

    uid: int | None

    @property
    def ordinary(self) -> bool:
        """Whether this is somebody who isn't root."""
        return bool(self.uid or os.geteuid())

    def run(self, container: Container, *, stdin: bytes = b"", before: Callable[[], None] | None = None) -> Ended:
        """Run a container to its end; ``before`` prepares the process."""
        return self.start(container, stdin=stdin, before=before).wait()

    def start(self, container: Container, *, stdin: bytes = b"", before: Callable[[], None] | None = None) -> Running:
        """Start a process that runs a container."""
        (stdout, out), (stderr, err), (source, feed) = os.pipe(), os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            for number, stream in enumerate((source, out, err)):
                os.dup2(stream, number)
            os.closerange(3, max(stdout, out, stderr, err, source, feed) + 1)
            self.become(container, before)
        for stream in (out, err, source):
            os.close(stream)
        with os.fdopen(feed, "wb") as file:
            file.write(stdin)
        return Running(pid, stdout, stderr)

    def become(self, container: Container, before: Callable[[], None] | None = None) -> NoReturn:
        """Turn this process, a fork of the tests', into the caller."""
        code = 99
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # who starts the tests in the background has it ignored
            sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))  # not pytest's
            if self.uid is not None:
                os.setgroups([])
                os.setresgid(self.uid, self.uid, self.uid)
                os.setresuid(self.uid, self.uid, self.uid)
                prctl(_PR_SET_DUMPABLE, 1)  # as after the exec that a user's process has behind it
            if before:
                before()
            code = run_container(container)
        except CanneryError as error:
            os.write(2, str(error).encode())
            code = error.exit_code
        except BaseException:  # noqa: BLE001  # the process ends here
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(code)


def on_a_terminal(caller: Caller, container: Container) -> tuple[Running, int]:
    """Start the caller as the leader of a session on a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        caller.become(container)
    return Running(pid, terminal, terminal), terminal


def under_a_shell(caller: Caller, container: Container) -> tuple[Running, int]:
    """Start the caller as a shell does, which says when it stopped, and continues it when it's sent SIGUSR1."""
    pid, terminal = pty.fork()
    if pid == 0:
        _be_shell(caller, container)
    return Running(pid, terminal, terminal), terminal


def _be_shell(caller: Caller, container: Container) -> NoReturn:
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        caller.become(container)
    while not os.WIFEXITED(status := os.waitpid(job, os.WUNTRACED)[1]):
        os.tcsetpgrp(0, os.getpid())
        os.write(1, b"stopped\n")
        signal.sigwait({signal.SIGUSR1})
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
    os._exit(os.WEXITSTATUS(status))
