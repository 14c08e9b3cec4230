"""A container's program attached to this process's terminal or streams (Engine API, ContainerAttach, ContainerExec)."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from docker.errors import APIError

from cannery.containers.engine.terminal import Conversation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from docker import APIClient

__all__ = ["exec_attached", "run_attached"]

_GRACE: Final = 10.0  # seconds from SIGTERM to SIGKILL, as docker stop has it
_STDIN: Final = 0
_INSISTING: Final = 3  # the signal to end that becomes SIGKILL, as the docker command has it


def run_attached(client: APIClient, container: str, *, tty: bool) -> int:
    """Start a container that was created, stay attached to its end, and return its exit code."""
    stream = client.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    with Conversation(stream, tty=tty, resize=lambda: _resize(client.resize, container)) as conversation:
        client.start(container)
        conversation.hold(_ContainerStopping(lambda number: client.kill(container, number)))
    return int(client.wait(container)["StatusCode"])


def exec_attached(client: APIClient, container: str, command: Sequence[str]) -> int:
    """Run ``command`` in a running container, attached, and return its exit code.

    Signal N, if it asks to end, goes to this process's own handler; where that returns, the code is 128 + N.
    """
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    environment = [f"TERM={_term()}"] if tty else []
    session: str = client.exec_create(container, list(command), stdin=True, tty=tty, environment=environment)["Id"]
    stream = client.exec_start(session, tty=tty, socket=True)
    with Conversation(stream, tty=tty, resize=lambda: _resize(client.exec_resize, session)) as conversation:
        ended_by = conversation.hold(None)
    if ended_by is not None:
        signal.raise_signal(ended_by)  # so that the caller's own handler runs
        return 128 + ended_by
    return int(client.exec_inspect(session)["ExitCode"])


class _ContainerStopping:
    """Hands signals to a container, and kills a program that doesn't end after it was asked to."""

    def __init__(self, kill: Callable[[int], object]) -> None:
        self._kill = kill
        self._asked = 0
        self._deadline: float | None = None

    def __call__(self, number: int) -> None:
        """Hand over the signal ``number``; the third one that asks to end becomes SIGKILL."""
        if number in {signal.SIGINT, signal.SIGTERM}:
            self._asked += 1
        if number == signal.SIGTERM and self._deadline is None:
            self._deadline = time.monotonic() + _GRACE
        self._send(signal.SIGKILL if self._asked >= _INSISTING else number)

    def patience(self) -> float | None:
        """Seconds until :meth:`enough`; None while nobody asked the program to end."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def enough(self) -> None:
        """Kill the program."""
        self._deadline = None
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        try:
            self._kill(number)
        except APIError as error:
            if error.status_code not in {404, 409}:  # the program has ended by itself
                raise


def _resize(tell: Callable[..., Any], target: str) -> None:
    """Give the terminal of ``target`` the size of this one, unless its program has ended."""
    columns, lines = os.get_terminal_size(_STDIN)  # shutil's would take COLUMNS, which stays when the window changes
    try:
        tell(target, height=lines, width=columns)
    except APIError:
        return


def _term() -> str:
    return os.environ.get("TERM") or "xterm"
