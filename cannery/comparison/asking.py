"""One start of a program, watched until it answers, or to its end."""

from __future__ import annotations

import http.client
import os
import select
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from cannery.comparison.load import load_test
from cannery.comparison.processes import is_running, memory
from cannery.workspace.process import end_group

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from cannery.comparison.launch import Launch, Launched
    from cannery.comparison.load import LoadTest
    from cannery.workspace.process import Runner

__all__ = ["NO_ANSWER", "FirstAnswer", "Probe", "ask"]

_HOST: Final = "127.0.0.1"
_MOMENT: Final = 0.002  # seconds between two attempts
_SETTLED: Final = 0.3  # seconds from the first answer until memory is looked at
_GONE: Final = 10.0  # seconds that ended processes get to be gone
_ANSWER: Final = 30.0  # seconds that one answer may take
_MOST: Final = 1 << 16  # bytes of output that are looked at
NO_ANSWER: Final = "no answer"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a program is asked: a call with arguments, or GET by HTTP."""

    text: str  # as it stands in a report
    arguments: tuple[str, ...] = ()  # none: those that it has by itself
    port: int | None = None  # None: it's a call
    target: str = "/"  # the path and the query (RFC 9112, 3.2.1)


class FirstAnswer(NamedTuple):
    """What came of one start."""

    outcome: str  # "exit code 0", "status 200": the same wherever the program works
    seconds: float  # to the first answer, or to the end
    idle: int | None = None  # bytes of memory
    loaded: int | None = None
    load: LoadTest | None = None
    last_line: str = ""  # that it wrote of its errors


def ask(launch: Launch, probe: Probe, patience: float, run: Runner, *, load: bool = False) -> FirstAnswer:
    """Start a program, ask it, and end it.

    ``patience`` is how many seconds it gets to answer; with ``load`` a server is sent many requests then.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, _streams() as (output, errors):
        launched = launch.start(probe.arguments, output, errors, Path(folder))
        try:
            if probe.port is None:
                answer = _called(launched, patience)
            else:
                answer = _served(launched, probe, patience, run, load=load)
        finally:
            _end(launched)
        return answer._replace(last_line=_last_line(errors))


def _end(launched: Launched) -> None:
    """End all processes of a program, and see that they are gone: the next one may want the same port."""
    processes = launched.processes()
    end_group(launched.process)
    deadline = time.monotonic() + _GONE
    while any(map(is_running, processes)) and time.monotonic() < deadline:
        time.sleep(_MOMENT)


def _called(launched: Launched, patience: float) -> FirstAnswer:
    ended = _end_of(launched.process, patience)
    code = launched.process.poll()
    began = launched.began()
    if ended is None or began is None:
        return FirstAnswer(NO_ANSWER, patience)
    return FirstAnswer(f"exit code {code}", (launched.ended() or ended) - began)


def _end_of(process: subprocess.Popen[bytes], patience: float) -> float | None:
    """When ``process`` ends, to the millisecond; None where it doesn't in time."""
    descriptor = os.pidfd_open(process.pid)
    try:
        ready, _, _ = select.select([descriptor], [], [], patience)
        ended = time.monotonic()
    finally:
        os.close(descriptor)
    if not ready:
        return None
    process.wait()
    return ended


def _served(launched: Launched, probe: Probe, patience: float, run: Runner, *, load: bool) -> FirstAnswer:
    assert probe.port is not None  # noqa: S101  # a defect
    deadline = time.monotonic() + patience
    while (status := _status(probe.port, probe.target)) is None:
        if launched.process.poll() is not None or time.monotonic() > deadline:
            return FirstAnswer(NO_ANSWER, patience)
        time.sleep(_MOMENT)
    answered, began = time.monotonic(), launched.began()
    time.sleep(_SETTLED)
    idle = memory(launched.processes())
    answer = FirstAnswer(f"status {status}", answered - (began or answered), idle)
    if not load:
        return answer
    found = load_test(probe.port, probe.target, status, run)
    return answer._replace(load=found, loaded=memory(launched.processes()))


def _status(port: int, target: str) -> int | None:
    """The status of the answer to one request; None where there's none."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=_ANSWER)
    try:
        connection.request("GET", target, headers={"Host": f"localhost:{port}", "Connection": "close"})
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return None
    else:
        return response.status
    finally:
        connection.close()


@contextmanager
def _streams() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        yield output, errors


def _last_line(stream: IO[bytes]) -> str:
    """The last line that says something: some messages end with a bracket on a line of its own."""
    stream.seek(0, os.SEEK_END)
    stream.seek(max(stream.tell() - _MOST, 0))
    lines = stream.read().decode(errors="replace").strip().splitlines()
    return next((line for line in reversed(lines) if any(map(str.isalnum, line))), "")
