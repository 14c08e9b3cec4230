"""Signals on their way to a container's program, and the ends of processes."""

from __future__ import annotations

import os
import pty
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox_callers import Caller, Running
from tests.support.sandbox_programs import program, script

if TYPE_CHECKING:
    from cannery.containers.sandbox.container import Container


TELLS_SIGNALS = """
    import os, signal, sys, time
    from collections import Counter
    counts = Counter()
    def tell(number, frame):
        name = signal.Signals(number).name
        counts[name] += 1
        os.write(1, f"{name} {counts[name]}\\n".encode())
        if name == "SIGUSR2":
            sys.exit(0)
    for name in ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"]:
        signal.signal(getattr(signal, name), tell)
    os.write(1, b"ready\\n")
    while True:
        time.sleep(1)
"""


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"])
def test_a_signal_to_the_caller_reaches_the_program(caller: Caller, host_root: Path, name: str) -> None:
    running = caller.start(script(host_root, TELLS_SIGNALS))
    assert running.read_line() == "ready"
    running.kill(signal.Signals[name])
    assert running.read_line() == f"{name} 1"

    if name != "SIGUSR2":
        running.kill(signal.SIGUSR2)
    assert running.wait().code == 0


def test_a_program_that_does_not_handle_sigterm_stops_at_once(caller: Caller, host_root: Path) -> None:
    running = caller.start(program(host_root, "sh", "-c", "echo ready; while :; do :; done"))
    assert running.read_line() == "ready"
    running.kill(signal.SIGTERM)

    assert running.wait().code == 128 + signal.SIGTERM


def test_ctrl_c_reaches_the_program_exactly_once(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, script(host_root, TELLS_SIGNALS))
    assert running.read_line() == "ready\r"
    running.kill(signal.SIGSTOP)  # so that the program has the terminal's SIGINT behind it before another could come
    os.write(terminal, b"\x03")
    told = running.read_line()
    running.kill(signal.SIGUSR2)  # it's forwarded after a second SIGINT would be
    running.kill(signal.SIGCONT)

    assert [told, running.read_line()] == ["^CSIGINT 1\r", "SIGUSR2 1\r"]
    assert os.waitpid(running.pid, 0)[1] == 0


def test_ctrl_c_ends_a_program_that_does_not_handle_it(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, program(host_root, "sh", "-c", "echo ready; while :; do :; done"))
    assert running.read_line() == "ready\r"
    os.write(terminal, b"\x03")

    assert os.waitstatus_to_exitcode(os.waitpid(running.pid, 0)[1]) == 128 + signal.SIGINT


def test_only_caller_and_program_are_in_reach_of_the_terminal(caller: Caller, host_root: Path) -> None:
    running, _ = on_a_terminal(caller, script(host_root, TELLS_SIGNALS))
    assert running.read_line() == "ready\r"
    monitor = only_child(running.pid)
    init = only_child(monitor)
    groups = [os.getpgid(pid) for pid in (running.pid, monitor, init, only_child(init))]
    running.kill(signal.SIGKILL)
    os.waitpid(running.pid, 0)

    assert groups == [running.pid, monitor, init, running.pid]


def only_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def on_a_terminal(caller: Caller, container: Container) -> tuple[Running, int]:
    """Start the caller as the leader of a session on a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        caller.become(container)
    return Running(pid, terminal, terminal), terminal


def test_nothing_survives_the_caller(caller: Caller, host_root: Path) -> None:
    running = caller.start(program(host_root, "sh", "-c", "(while :; do :; done) & echo ready; while :; do :; done"))
    assert running.read_line() == "ready"
    running.kill(signal.SIGKILL)

    # The streams end when the last process that has them does.
    assert running.wait().code == -signal.SIGKILL


def test_what_the_program_leaves_running_ends_with_it(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "sh", "-c", "(while :; do :; done) & echo done"))

    assert (ended.code, ended.stdout) == (0, "done\n")


def test_orphans_are_reaped(caller: Caller, host_root: Path) -> None:
    orphan = """
        import os, time
        told, tell = os.pipe()
        if os.fork() == 0:
            if os.fork() == 0:
                os.write(tell, str(os.getpid()).encode())
                os._exit(0)
            os._exit(0)
        os.wait()
        path = f"/proc/{int(os.read(told, 10))}"
        while os.path.exists(path):
            time.sleep(0.01)
    """
    assert caller.run(script(host_root, orphan)).code == 0
