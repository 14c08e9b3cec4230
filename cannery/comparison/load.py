"""A server asked for as long and as often as it takes, by a process of its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.workspace.keys import package_file

if TYPE_CHECKING:
    from cannery.workspace.process import Runner

__all__ = ["CONNECTIONS", "SECONDS", "LoadTest", "load_test"]

SECONDS: Final = 2.0
CONNECTIONS: Final = 8  # that ask at once
_BUSY: Final = 0.85  # of a processor: whoever sends has one thread's worth of it (the GIL)


class LoadTest(NamedTuple):
    """What came of many requests."""

    rate: float  # answers per second with the status that is right
    failed: int
    busy: bool  # the sender was: the server may have taken more


def load_test(port: int, target: str, status: int, run: Runner) -> LoadTest:
    """Send requests for some seconds, whose answers have the ``status``; the sender works on the same processors."""
    worker = str(package_file("comparison/workers/send_requests.py"))
    command = [sys.executable, "-I", worker, str(port), target, str(status), str(SECONDS), str(CONNECTIONS)]
    found = json.loads(run(command).stdout)
    busy = found["processor"] / found["seconds"] > _BUSY
    return LoadTest(found["answered"] / found["seconds"], found["failed"], busy)
