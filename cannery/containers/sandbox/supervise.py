"""Waiting for a child process: signals go down to it, its exit code comes up."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "FORWARDED",
    "GRACE",
    "INSISTENCE",
    "KILL_NOW",
    "Patience",
    "exit_code",
    "forget_signals",
    "held_signals",
    "release_signals",
    "stop_here",
    "supervise",
]

GRACE: Final = 10.0  # seconds from SIGTERM to SIGKILL, as docker stop has it
INSISTENCE: Final = 3  # the signal to end that becomes SIGKILL, as the docker command has it
KILL_NOW: Final = signal.SIGRTMIN  # asks the monitor for SIGKILL

FORWARDED: Final = frozenset(
    {
        signal.SIGCONT,
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTERM,
        signal.SIGTSTP,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGWINCH,
    }
)
_OF_JOBS: Final = frozenset({signal.SIGCONT, signal.SIGTSTP})  # stop and continue a program with what it started
_WATCHED: Final = FORWARDED | {signal.SIGCHLD, KILL_NOW}
_RESET: Final = (*FORWARDED, signal.SIGPIPE, signal.SIGXFSZ)


@contextmanager
def held_signals() -> Iterator[Iterable[int]]:
    """Block the signals that :func:`supervise` waits for, and yield the mask from before."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # children of a process that ignores it leave no exit code
    try:
        yield mask
    finally:
        signal.signal(signal.SIGCHLD, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def release_signals(mask: Iterable[int]) -> None:
    """Give a program the signals that it expects: ``mask``, and default handlers in place of Python's own."""
    for number in _RESET:
        if signal.getsignal(number) is not signal.SIG_IGN or number in {signal.SIGPIPE, signal.SIGXFSZ}:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def stop_here() -> None:
    """Stop this process as Ctrl-Z does by default; once it goes on, SIGCONT is there for :func:`supervise`."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTSTP})
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
    os.kill(os.getpid(), signal.SIGCONT)  # a process that no shell can continue was not stopped


def forget_signals() -> None:
    """Discard the signals that are held back: those that went to the group that this process has left by now."""
    while signal.sigtimedwait(FORWARDED, 0) is not None:
        pass


class Patience:
    """Decides when a process that was asked to end has had time enough."""

    def __init__(self) -> None:
        self._asked = 0
        self._deadline: float | None = None

    def hear(self, number: int) -> bool:
        """Take note that signal ``number`` goes to the process; True if SIGKILL has to take its place."""
        if number in {signal.SIGINT, signal.SIGTERM}:
            self._asked += 1
        if number == signal.SIGTERM and self._deadline is None:
            self._deadline = time.monotonic() + GRACE
        return number == KILL_NOW or self._asked >= INSISTENCE

    @property
    def left(self) -> float | None:
        """Seconds until the process has to be killed; None while nobody asked it to end."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())


def supervise(
    child: int,
    *,
    orphans: bool = False,
    patience: Patience | None = None,
    hear: Callable[[int], bool] | None = None,
    stopped: Callable[[], object] | None = None,
) -> int:
    """Forward signals to ``child`` until it ends, and return its exit code; to be called within :func:`held_signals`.

    With ``orphans``, ``child`` leads a process group, and children that nobody else waits for are reaped, as is the
    duty of process 1. ``patience`` decides when ``child`` is killed, ``hear`` may take a signal for itself by returning
    True, and ``stopped`` is called whenever ``child`` was stopped.
    """
    while True:
        number = _next(patience.left if patience else None)
        if number == signal.SIGCHLD:
            if (status := _reap(child, orphans=orphans, stopped=stopped)) is not None:
                return exit_code(status)
        elif patience and (number is None or patience.hear(number)):
            patience = None
            _send(child, signal.SIGKILL)
        elif number is not None and number != KILL_NOW and not (hear and hear(number)):
            _send(-child if orphans and number in _OF_JOBS else child, number)


def exit_code(status: int) -> int:
    """The exit code of a wait status: 128 + N for death by signal N, as shells have it (POSIX, 2.8.2)."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _next(patience: float | None) -> int | None:
    """The next signal; None where none comes for ``patience`` seconds, if that isn't None."""
    if patience is None:
        return signal.sigwaitinfo(_WATCHED).si_signo
    info = signal.sigtimedwait(_WATCHED, patience)
    return None if info is None else info.si_signo


def _send(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _reap(child: int, *, orphans: bool, stopped: Callable[[], object] | None) -> int | None:
    """Reap what has ended, ``child`` or with ``orphans`` any child; return the wait status of ``child`` if that has."""
    while True:
        pid, status = os.waitpid(-1 if orphans else child, os.WNOHANG | (os.WUNTRACED if stopped else 0))
        if pid == 0:
            return None
        if pid == child and not os.WIFSTOPPED(status):
            return status
        if pid == child and stopped:
            stopped()
