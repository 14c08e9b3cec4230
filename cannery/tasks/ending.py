"""The end of a task: a message and an exit code, everything cleaned up, and no traceback for a user's mistake."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from invoke.exceptions import Exit

from cannery.errors import MORE_MEMORY, CanneryError, MachineError, ProjectError
from cannery.workspace.streams import abandon, show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["friendly"]

Task = TypeVar("Task", bound=Callable[..., Any])

_NO_THREAD = "can't start new thread"  # as Python says it
_MOMENT = 0.01  # seconds
_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}


class _Stopped(BaseException):
    """A signal told the program to end: raised, so that everything is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def friendly(task: Task) -> Task:
    """A task like ``task`` that ends with a message and an exit code in place of a traceback, where the user can act.

    The exit code is the error's own, or for a signal 128 + its number, as in shells (POSIX, 2.8.2).
    """

    @functools.wraps(task)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        # Invoke turns it off to keep tasks.py's folder clean; every build would compile all of cannery once more.
        sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
        try:
            with _stoppable(), _standard_streams():
                return task(*args, **kwargs)
        except CanneryError as error:
            _refuse(error)
        except BrokenPipeError:
            abandon(sys.stdout)  # the reader has seen enough
            raise Exit(code=128 + signal.SIGPIPE) from None
        except OSError as error:
            step = "see that it can be read and written, and try again"
            _refuse(MachineError("the machine refuses", evidence=str(error), step=step))
        except RecursionError as error:
            step = "see which of the project's files is the odd one, and make it simpler"
            _refuse(ProjectError("something that is read is nested too deeply", evidence=str(error), step=step))
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and str(error) != _NO_THREAD:
                raise
            _refuse(MachineError("there is too little memory for this", evidence=str(error), step=MORE_MEMORY))
        except (KeyboardInterrupt, _Stopped) as stopped:
            number = stopped.number if isinstance(stopped, _Stopped) else signal.SIGINT
            show(_WORDS[signal.Signals(number)])
            raise Exit(code=128 + number) from None

    return guarded  # type: ignore[return-value]


def _refuse(error: CanneryError) -> NoReturn:
    if sys.stdout:
        with suppress(OSError, ValueError):
            sys.stdout.flush()  # so that in one file, too, the error comes behind what was printed before
    red, plain = ("\033[1;31m", "\033[0m") if sys.stderr and sys.stderr.isatty() else ("", "")
    show(f"{red}error:{plain} {error}")
    raise Exit(code=error.exit_code) from error


@contextmanager
def _standard_streams() -> Iterator[None]:
    """Replace standard streams that were closed before the start by the null device, and flush standard output.

    Characters that standard output's encoding lacks are escaped, as on standard error.
    """
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        closed = [name for name in ("stdout", "stderr") if getattr(sys, name) is None]
        for name in closed:
            setattr(sys, name, nowhere)
        if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            yield
            sys.stdout.flush()
        finally:
            for name in closed:
                setattr(sys, name, None)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let the first of each signal that would end the process raise :class:`_Stopped`; a second one is ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is told of signals
        return
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: handler for number in _WORDS if (handler := signal.getsignal(number)) in usual}
    for number in before:
        signal.signal(number, _stop)
    try:
        with _never_lost():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    raise _Stopped(number)


@contextmanager
def _never_lost() -> Iterator[None]:
    """Raise :class:`_Stopped` once more, a moment later, where Python lost it: in a callback, as imports have them."""

    def lost(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(stopped := unraisable.exc_value, _Stopped):
            signal.signal(signal.SIGALRM, lambda *_: _stop(stopped.number, None))
            signal.setitimer(signal.ITIMER_REAL, _MOMENT)
        else:
            hook(unraisable)

    alarm = signal.getsignal(signal.SIGALRM)
    hook, sys.unraisablehook = sys.unraisablehook, lost
    try:
        yield
    finally:
        sys.unraisablehook = hook
        if signal.getsignal(signal.SIGALRM) is not alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)
