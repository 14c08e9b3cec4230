"""Signals on their way to a container's program, and the ends of processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from cannery.containers.sandbox import supervise
from tests.support.sandbox_callers import Caller, on_a_terminal
from tests.support.sandbox_programs import program, script

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


def test_a_signal_to_the_callers_group_reaches_the_program_once(caller: Caller, host_root: Path) -> None:
    running = caller.start(script(host_root, TELLS_SIGNALS), before=os.setpgrp)
    assert running.read_line() == "ready"
    os.killpg(running.pid, signal.SIGTERM)
    told = running.read_line()
    running.kill(signal.SIGUSR2)  # it's forwarded after a second SIGTERM would be

    assert [told, running.read_line()] == ["SIGTERM 1", "SIGUSR2 1"]
    assert running.wait().code == 0


def test_ctrl_c_reaches_the_program_exactly_once(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, script(host_root, TELLS_SIGNALS))
    assert running.read_line() == "ready\r"
    os.write(terminal, b"\x03")
    told = running.read_line()
    running.kill(signal.SIGUSR2)

    assert [told, running.read_line()] == ["^CSIGINT 1\r", "SIGUSR2 1\r"]
    assert os.waitpid(running.pid, 0)[1] == 0


DEAF = """
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        signal.pause()
"""
STOPPED = """
    import os, signal
    if os.fork() == 0:
        while open(f"/proc/{os.getppid()}/stat").read().split()[2] != "T":
            pass
        print("ready", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.mark.parametrize("stubborn", [DEAF, STOPPED], ids=["ignores signals", "stopped itself"])
def test_a_program_that_does_not_end_is_killed(
    caller: Caller, host_root: Path, monkeypatch: pytest.MonkeyPatch, stubborn: str
) -> None:
    monkeypatch.setattr(supervise, "GRACE", 0.1)
    running = caller.start(script(host_root, stubborn))
    assert running.read_line() == "ready"
    running.kill(signal.SIGTERM)

    assert running.wait().code == 128 + signal.SIGKILL


def test_the_third_request_to_end_kills(caller: Caller, host_root: Path) -> None:
    running = caller.start(script(host_root, TELLS_SIGNALS))
    assert running.read_line() == "ready"
    for number in ("SIGINT 1", "SIGINT 2"):
        running.kill(signal.SIGINT)
        assert running.read_line() == number
    running.kill(signal.SIGINT)

    assert running.wait().code == 128 + signal.SIGKILL


def test_the_third_ctrl_c_kills(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, script(host_root, TELLS_SIGNALS))
    assert running.read_line() == "ready\r"
    os.write(terminal, b"\x03\x03\x03")

    assert os.waitstatus_to_exitcode(os.waitpid(running.pid, 0)[1]) == 128 + signal.SIGKILL


def test_ctrl_c_ends_a_program_that_does_not_handle_it(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, program(host_root, "sh", "-c", "echo ready; while :; do :; done"))
    assert running.read_line() == "ready\r"
    os.write(terminal, b"\x03")

    assert os.waitstatus_to_exitcode(os.waitpid(running.pid, 0)[1]) == 128 + signal.SIGINT


def test_each_is_in_reach_of_its_own_terminal_alone(caller: Caller, host_root: Path) -> None:
    running, _ = on_a_terminal(caller, script(host_root, TELLS_SIGNALS))
    assert running.read_line() == "ready\r"
    monitor = only_child(running.pid)
    init = only_child(monitor)
    program = only_child(init)
    groups, sessions = ([of(pid) for pid in (running.pid, monitor, init, program)] for of in (os.getpgid, os.getsid))
    running.kill(signal.SIGKILL)
    os.waitpid(running.pid, 0)

    assert groups == [running.pid, monitor, init, program]
    assert sessions == [running.pid, running.pid, init, init]


def only_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


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
