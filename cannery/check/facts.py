"""The facts of an answer that are compared, each as lines of text under the name of what it is."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from cannery.check.answer import NO_IMPORT
from cannery.check.question import Call, Imports, Requests
from cannery.check.text import plain_errors, plain_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.check.answer import ProgramAnswer
    from cannery.check.question import Question

__all__ = ["ERRORS", "facts_of", "failures_of"]

ERRORS: Final = "errors"  # what a program writes on its standard error
_SERVER_ERROR: Final = 500  # and above (RFC 9110, 15.6)
_ENDED_BY: Final = 128  # and the number of a signal (POSIX, 2.8.2)


def facts_of(question: Question, answer: ProgramAnswer, names: Iterable[str] = ()) -> dict[str, list[str]]:
    """What counts of ``answer``; ``names`` are those that the program goes by in one place only.

    Of a server's output nothing does: it logs what comes and goes by itself. Of an error only the last line does, as
    the frames of a traceback lie in other files.
    """
    names = tuple(names)
    match question:
        case Call():
            errors = plain_errors(answer.errors, names)
            return {
                "exit code": [_code(answer.exit_code)],
                "output": plain_lines(answer.output, names),
                ERRORS: errors[-1:] if answer.exit_code else errors,
            }
        case Requests():
            statuses = {f"status of {each.url}": [_status(each.status)] for each in answer.responses}
            bodies = {f"body of {each.url}": plain_lines(each.body, names) for each in answer.responses}
            return {**statuses, **bodies, "exit code after SIGTERM": [_end(answer.exit_code)]}
        case Imports(modules):
            imports = {f"import of {name}": [_import(answer, name)] for name in modules}
            return {**imports, "output while importing": plain_lines(answer.output, names)}


def failures_of(question: Question, answer: ProgramAnswer) -> Iterator[tuple[str, bool]]:
    """What is wrong in ``answer``, and whether it means that the program doesn't work."""
    match question:
        case Call():
            if answer.exit_code != 0:
                yield _code(answer.exit_code), True
        case Requests(vital=vital):
            for each in answer.responses:
                if each.status is None or each.status >= _SERVER_ERROR:
                    yield f"{each.url}: {each.body if each.status is None else _status(each.status)}", vital
            if answer.exit_code is None:
                yield "it goes on after SIGTERM", False
        case Imports(modules, entry):
            for name in modules:
                if answer.imports.get(name, NO_IMPORT).error not in {"", "SystemExit"}:
                    yield f"import of {name}: {_import(answer, name)}", name == entry and name in answer.imports


def _import(answer: ProgramAnswer, name: str) -> str:
    """What came of the import of one module; of an ImportError what it's about, as messages tell more in an image."""
    found = answer.imports.get(name)
    if found is None:
        return f"not done: {_code(answer.exit_code)}"
    return f"{found.error}: {found.about or found.message}" if found.error else "done"


def _status(status: int | None) -> str:
    return "no response" if status is None else f"status {status}"


def _end(code: int | None) -> str:
    """How a server ended that was told to: by the signal or by itself is the same.

    Which of them it is may hang on the moment. A server that answers already can be about to catch the signal.
    """
    return "it ended as it was told" if code in {0, _ENDED_BY + signal.SIGTERM} else _code(code)


def _code(code: int | None) -> str:
    if code is None:
        return "it went on and had to be ended"
    if code > _ENDED_BY and code - _ENDED_BY in {*signal.Signals}:
        return f"exit code {code} ({signal.Signals(code - _ENDED_BY).name})"
    return f"exit code {code}"
