"""Terminal and streams of this process, tied to those of a program in a container until it ends."""

from __future__ import annotations

import os
import select
import selectors
import signal
import socket
import ssl
import struct
import sys
import termios
import tty as terminal_modes
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Conversation", "Frames", "Stopping"]

_CHUNK: Final = 1 << 16
_FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STDIN: Final = 0
_STDOUT: Final = 1
_HEADER: Final = struct.Struct(">BxxxL")  # a frame's descriptor and size (Engine API, ContainerAttach, stream format)


class Stopping(Protocol):
    """Hands signals to the program, and decides when it has had time enough to end."""

    def __call__(self, number: int) -> None:
        """Hand over the signal ``number``."""
        ...

    def patience(self) -> float | None:
        """Seconds until :meth:`enough` has to be called; None for never."""
        ...

    def enough(self) -> None:
        """Kill the program."""
        ...


class Frames:
    """Takes apart the stream in which standard output and standard error of a program without a terminal come mixed."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames that ``data`` completes: the descriptor, 1 or 2, and the bytes written to it."""
        self._rest += data
        while len(self._rest) >= _HEADER.size:
            descriptor, size = _HEADER.unpack_from(self._rest)
            end = _HEADER.size + size
            if len(self._rest) < end:
                return
            yield descriptor, self._rest[_HEADER.size : end]
            self._rest = self._rest[end:]


class Conversation:
    """A context in which this process's streams are a program's, and signals to this process are events.

    ``stream`` is the SDK's for an attached program, ``tty`` says if that has a terminal, and ``resize`` gives the
    terminal the size of this one.
    """

    def __init__(self, stream: Any, *, tty: bool, resize: Callable[[], None]) -> None:
        self._stream = stream  # kept: without a reference to it the connection would be closed
        self._socket: socket.socket = getattr(stream, "_sock", stream)  # docker 7 wraps it, but for TLS
        self._tty = tty
        self._resize = resize
        self._frames = Frames()
        self._heard = False
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        self._woken = self._cleanup.enter_context(_signals_as_bytes())
        self._selector = self._cleanup.enter_context(selectors.SelectSelector())  # epoll refuses files, such as stdin
        self._selector.register(self._socket, selectors.EVENT_READ, self._show)
        self._selector.register(self._woken, selectors.EVENT_READ)
        if sys.stdin is not None:
            self._selector.register(_STDIN, selectors.EVENT_READ, self._type)
        if self._tty:
            self._cleanup.enter_context(_raw(_STDIN))
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()
        with suppress(OSError):  # the engine may have closed the connection
            self._socket.shutdown(socket.SHUT_RDWR)  # closing isn't enough: the SDK has another reference
        # The SDK's response, if there is one, reads from the stream, and would complain if that were closed first.
        if (response := getattr(self._stream, "_response", None)) is not None:
            response.close()
        self._stream.close()

    def hold(self, stopping: Stopping | None) -> int | None:
        """Pass bytes and signals until the program ends; signals go to ``stopping``.

        Without ``stopping``, a signal that asks to end ends this, too, and its number is returned.
        """
        if self._tty:
            self._resize()
        while True:
            ready = self._selector.select(stopping.patience() if stopping else None)
            if not ready and stopping:
                stopping.enough()
            for key, _ in ready:
                if key.data is None:
                    if number := self._hear(stopping):
                        return number
                elif not key.data():
                    return None

    def _hear(self, stopping: Stopping | None) -> int | None:
        """Pass on the signals that came; return the number of the one that ends :meth:`hold`, if any."""
        for number in self._woken.recv(_CHUNK):
            if number == signal.SIGWINCH and self._tty:
                self._resize()
            elif number in _FORWARDED and stopping:
                stopping(number)
            elif number in _ENDING:
                return number
        return None

    def _show(self) -> bool:
        """Show what the program wrote; False at its end."""
        try:
            data = self._socket.recv(_CHUNK)
        except (ConnectionResetError, ssl.SSLZeroReturnError):
            return False
        if self._tty and not self._heard:  # an engine forgets a size that it's told before the terminal exists
            self._resize()
        self._heard = True
        pieces = ((_STDOUT, data),) if self._tty else self._frames.feed(data)
        for descriptor, piece in pieces:
            _write(descriptor, piece)
        return bool(data)

    def _type(self) -> bool:
        """Hand over what was typed; the end of this process's input ends the program's. Always True."""
        data = os.read(_STDIN, _CHUNK)
        with suppress(BrokenPipeError, ConnectionResetError):  # the program reads no more: it ends next
            if data:
                self._socket.sendall(data)
            else:
                self._selector.unregister(_STDIN)
                _end_of_input(self._socket)
        return True


def _end_of_input(connection: socket.socket) -> None:
    """Close one direction of ``connection``: nothing more is sent, and the answer can still be read."""
    if not isinstance(connection, ssl.SSLSocket):
        connection.shutdown(socket.SHUT_WR)
        return
    patience = connection.gettimeout()
    connection.settimeout(0)
    said = False
    while not said:
        try:
            said = bool(connection.unwrap())
        except ssl.SSLWantWriteError:
            select.select([], [connection], [])
        except ssl.SSLError:  # close_notify is sent; OpenSSL complains that the other end's isn't here (RFC 8446, 6.1)
            said = True
    connection.settimeout(patience)


@contextmanager
def _signals_as_bytes() -> Iterator[socket.socket]:
    """A socket on which each signal arrives as a byte, its number."""
    woken, waker = socket.socketpair()
    waker.setblocking(False)  # noqa: FBT003  # the parameter has no name
    with woken, waker:
        before = {number: signal.getsignal(number) for number in (*_FORWARDED, signal.SIGWINCH)}
        descriptor = signal.set_wakeup_fd(waker.fileno())
        try:
            for number, handler in before.items():
                if handler is not signal.SIG_IGN:  # a signal that is ignored, as under nohup, stays so
                    signal.signal(number, lambda *_: None)
            yield woken
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(descriptor)


@contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """Let a terminal hand over every key as it is (raw mode, termios(3)), and restore its mode at the end."""
    before = termios.tcgetattr(descriptor)
    terminal_modes.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
