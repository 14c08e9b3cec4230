r"""A terminal of the container's own, between its program and the caller's terminal.

The program can type at its own terminal only, and control nothing but that. Each key goes there as it is, and the
container's session makes signals of Ctrl-C, Ctrl-\ and Ctrl-Z. When Ctrl-Z has stopped the program, the caller stops
as well, so that its shell can go on, and continues the program once it's continued itself.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import struct
import termios
import threading
import tty
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from cannery.containers.sandbox.steps import step
from cannery.containers.sandbox.supervise import INSISTENCE, KILL_NOW, stop_here

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Terminal", "take_terminal", "tell_stopped"]

_CHUNK: Final = 1 << 16
_STDIN: Final = 0
_STDOUT: Final = 1
_STDERR: Final = 2
_TIOCGPTN: Final = 0x80045430  # ioctl_tty(2); Python has them from 3.13 on
_TIOCSPTLCK: Final = 0x40045431
_QUIT: Final = b"q"


def take_terminal(link: int) -> None:
    """Open a terminal in the container, and hand its other end to the caller through the socket ``link``.

    It controls this process's session, and is standard input, output and, if that was a terminal, standard error. It
    starts with the modes and the size of the caller's. To be called by the leader of a session that has no terminal.
    """
    with step("opening a terminal"):
        master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
        (number,) = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, bytes(4)))
        slave = os.open(f"/dev/pts/{number}", os.O_RDWR)  # which makes it the session's
        termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(_STDIN))
        fcntl.ioctl(slave, termios.TIOCSWINSZ, fcntl.ioctl(_STDIN, termios.TIOCGWINSZ, bytes(8)))
        for stream in (_STDIN, _STDOUT, *([_STDERR] if os.isatty(_STDERR) else [])):
            os.dup2(slave, stream)
        with socket.socket(fileno=os.dup(link)) as connection:
            socket.send_fds(connection, [b"terminal"], [master])
        os.close(master)
        os.close(slave)


def tell_stopped(link: int) -> None:
    """Tell the caller through ``link`` that the program was stopped."""
    with suppress(OSError):
        os.write(link, b"s")


class Terminal:
    """The caller's side: a context in which its terminal is that of a container, once :meth:`attach` was called."""

    def __init__(self, *, prompt: bool) -> None:
        """At a ``prompt`` Ctrl-C takes back a line, however often it's typed."""
        self._prompt = prompt
        self._own, theirs = socket.socketpair()
        self.link = theirs.detach()  # for the container's process 1
        self._woken, self._wake = os.pipe()
        self._before: list[Any] | None = None  # modes of the caller's terminal; None while they are its own
        self._keys = 0  # Ctrl-C, one after the other
        self._threads: list[threading.Thread] = []
        self._master = self._monitor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._wake, _QUIT)
        for thread in self._threads:
            thread.join()
        self._restore()
        self._own.close()
        for descriptor in filter(lambda number: number >= 0, (self._woken, self._wake, self._master, self._monitor)):
            os.close(descriptor)

    def attach(self, monitor: int) -> None:
        """Tie the terminals together while process ``monitor``, which forwards signals to the container, is there."""
        _, (self._master, *_), _, _ = socket.recv_fds(self._own, _CHUNK, 1)
        self._monitor = os.pidfd_open(monitor)
        self._take()
        self._start(self._show)
        self._start(self._type)
        self._start(self._watch)

    def hear(self, number: int) -> bool:
        """Do what signal ``number`` asks of the terminals; True if that's all that it asks."""
        match number:
            case signal.SIGWINCH:
                self._resize()
            case signal.SIGTSTP:
                self._restore()
                stop_here()
            case signal.SIGCONT:
                self._take()
                self._resize()
        return number in {signal.SIGWINCH, signal.SIGTSTP}

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _take(self) -> None:
        """Have the caller's terminal hand over each key as it is, if this process is in its foreground."""
        if self._before is None and _in_foreground():
            self._before = termios.tcgetattr(_STDIN)
            tty.setraw(_STDIN, termios.TCSADRAIN)
            os.write(self._wake, b"k")

    def _restore(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            with suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)

    def _resize(self) -> None:
        with suppress(OSError):
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, fcntl.ioctl(_STDIN, termios.TIOCGWINSZ, bytes(8)))

    def _show(self) -> None:
        """Show what the container writes, until nobody in it has the terminal any more."""
        with suppress(OSError):
            while data := os.read(self._master, _CHUNK):
                _write(_STDOUT, data)

    def _type(self) -> None:
        """Hand over keys until the program ends; a terminal that is gone asks the program to end."""
        listening = True
        while True:
            keys = [_STDIN] if listening and self._before is not None else []
            ready, _, _ = select.select([self._woken, *keys], [], [])
            if self._woken in ready:
                if os.read(self._woken, 1) == _QUIT:
                    return
            elif data := _read(_STDIN):
                self._count(data)
                with suppress(OSError):
                    _write(self._master, data)
            else:
                listening = False
                self._signal(signal.SIGHUP)
                self._signal(signal.SIGTERM)

    def _count(self, data: bytes) -> None:
        """Kill the program at the third Ctrl-C in a row, where its terminal makes signals of them.

        A prompt whose line can be edited reads each key by itself: there Ctrl-C takes back a line, and isn't counted.
        """
        modes = termios.tcgetattr(self._master)
        cooked = modes[3] & termios.ISIG and modes[3] & termios.ICANON and not self._prompt
        for key in (data[number : number + 1] for number in range(len(data))):
            self._keys = self._keys + 1 if cooked and key == modes[6][termios.VINTR] else 0
        if self._keys >= INSISTENCE:
            self._signal(KILL_NOW)

    def _watch(self) -> None:
        """Stop this process's group, as Ctrl-Z at its own terminal would, whenever the program was stopped."""
        with suppress(OSError):
            while self._own.recv(1):
                os.killpg(0, signal.SIGTSTP)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._monitor, number)


def _in_foreground() -> bool:
    """True if this process may read from its terminal; one that doesn't control it, it may read from at any time."""
    try:
        return os.tcgetpgrp(_STDIN) == os.getpgrp()
    except OSError:
        return True


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except OSError:
        return b""


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
