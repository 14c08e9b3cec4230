"""Waiting for a child process: signals go down to it, its exit code comes up."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["FORWARDED", "exit_code", "held_signals", "interruption", "release_signals", "supervise"]

FORWARDED: Final = frozenset(
    {
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTERM,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGWINCH,
    }
)
_OF_TERMINALS: Final = frozenset({signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH})  # that a terminal sends by itself
_WATCHED: Final = FORWARDED | {signal.SIGCHLD}
_SI_KERNEL: Final = 0x80  # si_code of a signal that the kernel itself sends (sigaction(2))


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
    for number in (*FORWARDED, signal.SIGPIPE, signal.SIGXFSZ):
        if signal.getsignal(number) is not signal.SIG_IGN or number in {signal.SIGPIPE, signal.SIGXFSZ}:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def interruption() -> int:
    """The number of the signal, held back until now, by which a terminal asked this process to end; 0 for none."""
    return min(signal.sigpending() & {signal.SIGINT, signal.SIGQUIT}, default=0)


def supervise(child: int, *, orphans: bool = False) -> int:
    """Forward signals to ``child`` until it ends, and return its exit code; to be called within :func:`held_signals`.

    A terminal's own signals aren't forwarded: it sends them to the whole foreground process group, the program among
    it. With ``orphans``, children that nobody else waits for are reaped, as is the duty of process 1.
    """
    while True:
        info = signal.sigwaitinfo(_WATCHED)
        if info.si_signo == signal.SIGCHLD:
            if (status := _reap(child, orphans=orphans)) is not None:
                return exit_code(status)
        elif info.si_code != _SI_KERNEL or info.si_signo not in _OF_TERMINALS:
            with suppress(ProcessLookupError):
                os.kill(child, info.si_signo)


def exit_code(status: int) -> int:
    """The exit code of a wait status: 128 + N for death by signal N, as shells have it (POSIX, 2.8.2)."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _reap(child: int, *, orphans: bool) -> int | None:
    """Reap what has ended, ``child`` or with ``orphans`` any child; return the wait status of ``child`` if that has."""
    while True:
        pid, status = os.waitpid(-1 if orphans else child, os.WNOHANG)
        if pid == child:
            return status
        if pid == 0:
            return None
