"""Lets a service end gracefully even when it's told to while it starts.

Sanic's manager waits for its workers to start; a signal that ends them before that makes it wait for ever.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from sanic import Sanic

__all__ = ["stop_once_started"]

_MOMENT = 0.05  # seconds


async def stop_once_started(app: Sanic[Any, Any]) -> None:
    """A listener of the main process: SIGTERM and SIGINT stop the service as soon as all workers have started."""

    def stop(number: int, frame: FrameType | None) -> None:
        if all(process.state.name == "ACKED" for process in app.manager.processes):
            app.manager.shutdown_signal(number, frame)  # type: ignore[no-untyped-call]
        else:
            signal.signal(signal.SIGALRM, lambda _, then: stop(number, then))
            signal.setitimer(signal.ITIMER_REAL, _MOMENT)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
