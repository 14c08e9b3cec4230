"""The terminal of a container: its own, with the size and the keys of the caller's."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import termios
from typing import TYPE_CHECKING

from tests.support.sandbox_callers import Caller, on_a_terminal, under_a_shell
from tests.support.sandbox_programs import program, script

if TYPE_CHECKING:
    from pathlib import Path

TELLS_SIZES = """
    import os, signal
    def tell(*_):
        size = os.get_terminal_size()
        os.write(1, f"{size.columns} {size.lines}\\n".encode())
    signal.signal(signal.SIGWINCH, tell)
    tell()
    while True:
        signal.pause()
"""


def test_the_program_has_a_terminal_of_its_own(caller: Caller, host_root: Path) -> None:
    look = """
        import os
        print(*map(os.ttyname, range(3)), os.tcgetpgrp(0) == os.getpgrp(), os.getsid(0), "TERM" in os.environ)
    """
    running, _ = on_a_terminal(caller, script(host_root, look))

    assert running.read_line() == "/dev/pts/0 /dev/pts/0 /dev/pts/0 True 1 True\r"
    assert os.waitpid(running.pid, 0)[1] == 0


def test_what_is_typed_reaches_the_program(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, script(host_root, "print('ready'); print(input()[::-1])"))
    assert running.read_line() == "ready\r"
    os.write(terminal, "grün\n".encode())

    assert [running.read_line(), running.read_line()] == ["grün\r", "nürg\r"]
    assert os.waitpid(running.pid, 0)[1] == 0


def test_the_program_hears_of_another_size(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, script(host_root, TELLS_SIZES))
    assert running.read_line() == "0 0\r"
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 42, 99, 0, 0))

    assert running.read_line() == "99 42\r"
    running.kill(signal.SIGTERM)
    os.waitpid(running.pid, 0)


def test_the_callers_terminal_is_as_it_was(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, script(host_root, "import tty; tty.setraw(0); print('raw'); input()"))
    before = termios.tcgetattr(terminal)
    assert running.read_line().strip() == "raw"
    during = termios.tcgetattr(terminal)
    running.kill(signal.SIGTERM)
    os.waitpid(running.pid, 0)

    assert during != before == termios.tcgetattr(terminal)


def test_ctrl_z_stops_the_program_and_the_caller_until_both_go_on(caller: Caller, host_root: Path) -> None:
    running, terminal = under_a_shell(caller, script(host_root, "print('ready'); print(input())"))
    assert running.read_line() == "ready\r"
    os.write(terminal, b"\x1a")
    assert running.read_line().endswith("stopped\r")
    running.kill(signal.SIGUSR1)
    os.write(terminal, b"on\n")

    lines = [running.read_line(), running.read_line()]  # which echo shows how far the terminals have come by then
    assert [line.removeprefix("^Z").rstrip("\r") for line in lines] == ["on", "on"]
    assert os.waitpid(running.pid, 0)[1] == 0


def test_a_terminal_that_is_gone_ends_the_program(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, program(host_root, "sh", "-c", "echo ready; while :; do :; done"))
    assert running.read_line() == "ready\r"
    os.close(terminal)

    assert os.waitstatus_to_exitcode(os.waitpid(running.pid, 0)[1]) in {128 + signal.SIGHUP, 128 + signal.SIGTERM}


def test_no_program_types_at_a_terminal(caller: Caller, host_root: Path) -> None:
    source = """
        import fcntl
        for request in (0x5412, 0x541C):  # TIOCSTI, TIOCLINUX
            try:
                fcntl.ioctl(0, request, b"x")
            except PermissionError as error:
                print(error)
    """
    running, _ = on_a_terminal(caller, script(host_root, source))

    assert [running.read_line() for _ in range(2)] == ["[Errno 1] Operation not permitted\r"] * 2
    assert os.waitpid(running.pid, 0)[1] == 0


def test_no_prompt_is_killed_by_the_third_ctrl_c(caller: Caller, host_root: Path) -> None:
    source = """
        import signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        print("ready", flush=True)
        for _ in range(4):
            print(signal.sigwait({signal.SIGINT}), flush=True)
    """
    running, terminal = on_a_terminal(caller, script(host_root, source)._replace(prompt=True))
    assert running.read_line() == "ready\r"
    for _ in range(4):
        os.write(terminal, b"\x03")
        assert running.read_line() == "^C2\r"
    assert os.waitpid(running.pid, 0)[1] == 0
