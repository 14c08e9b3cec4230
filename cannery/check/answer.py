"""What a program answers: its exit code and output, the responses of a server, what came of imports."""

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from cannery.check.http import Response, check_free, responses
from cannery.check.question import Call, Imports, Requests
from cannery.check.venue import Streams
from cannery.containers.background import REFUSED
from cannery.errors import MachineError
from cannery.workspace.keys import package_file
from cannery.workspace.process import end_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.check.question import Question
    from cannery.check.venue import Venue

__all__ = ["NO_IMPORT", "ImportOutcome", "ProgramAnswer", "answer"]

_MOST: Final = 4 << 20  # bytes of output that are looked at
_GRACE: Final = 12.0  # seconds from SIGTERM to the end: an engine gives a program ten
_BEGIN, _BETWEEN = "\x1e", "\x1f"  # as the worker writes them


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What came of the import of a module."""

    error: str = ""  # the exception's class; empty for none
    about: str = ""  # the module that an ImportError is about
    message: str = ""


NO_IMPORT: Final = ImportOutcome("none")  # of a module that was not come to


@dataclass(frozen=True, slots=True)
class ProgramAnswer:
    """What a program did."""

    exit_code: int | None  # 128 + N where signal N ended it; None where it had to be ended
    output: str
    errors: str
    responses: tuple[Response, ...] = ()
    imports: Mapping[str, ImportOutcome] = field(default_factory=dict)  # by the module


def answer(question: Question, venue: Venue, patience: float) -> ProgramAnswer:
    """Ask the program, or the Python, at ``venue`` one question.

    ``patience`` is how many seconds it gets to end, or to answer the first request. Raises :class:`MachineError` where
    the machine lets no container start, or where somebody else listens on the port.
    """
    match question:
        case Call():
            return _called(question, venue, patience)
        case Requests():
            return _asked(question, venue, patience)
        case Imports(modules):
            return _imported(modules, venue, patience)


def _called(question: Call, venue: Venue, patience: float) -> ProgramAnswer:
    with _streams() as streams:
        process = venue.program(question.arguments, streams, question.command)
        code = _ended(process, patience)
        return ProgramAnswer(_exit_code(code, streams), _text(streams.output), _text(streams.errors))


def _asked(question: Requests, venue: Venue, patience: float) -> ProgramAnswer:
    """The responses of the program, and how it ends when it's told to."""
    check_free(question.urls)
    with _streams() as streams:
        process = venue.program((), streams)
        try:
            found = responses(question.urls, patience, alive=lambda: process.poll() is None)
            process.terminate()
        finally:
            code = _ended(process, _GRACE)
        return ProgramAnswer(_exit_code(code, streams), _text(streams.output), _text(streams.errors), found)


def _imported(modules: tuple[str, ...], venue: Venue, patience: float) -> ProgramAnswer:
    code = package_file("check/workers/import_modules.py").read_text(encoding="utf-8")
    with _streams() as streams:
        process = venue.python(["-c", code, ":".join(venue.roots), *modules], streams)
        code_of_end = _exit_code(_ended(process, patience), streams)
        lines = _text(streams.output).split("\n")  # splitlines takes the separators of records for ends of lines
        own = [line for line in lines if not line.startswith(_BEGIN)]
        told = (line[1:].split(_BETWEEN) for line in lines if line.startswith(_BEGIN))
        imports = {name: ImportOutcome(*rest) for name, *rest in told}
        return ProgramAnswer(code_of_end, "\n".join(own), _text(streams.errors), imports=imports)


@contextmanager
def _streams() -> Iterator[Streams]:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        yield Streams(output, errors)


def _ended(process: subprocess.Popen[bytes], patience: float) -> int | None:
    """The exit code of a program that ends in time; None for one that had to be ended."""
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        for _ in range(3):  # an engine's client kills the container then
            process.terminate()
            _awaited(process, 1.0)
        return None
    finally:
        end_group(process)


def _awaited(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _exit_code(code: int | None, streams: Streams) -> int | None:
    """The exit code as shells count it; raises :class:`MachineError` where no container was started."""
    if code == REFUSED and (lines := _text(streams.errors).strip().splitlines()) and lines[-1].startswith("["):
        what, evidence, step = json.loads(lines[-1])
        raise MachineError(what, evidence=evidence, step=step)
    return 128 - code if code is not None and code < 0 else code


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read(_MOST).decode(errors="replace")
