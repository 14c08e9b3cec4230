"""Answers are compared fact by fact, and failures of the program are told from the image's."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cannery.check.advice import advice
from cannery.check.answer import ImportOutcome, ProgramAnswer
from cannery.check.compare import Comparison, Difference, compare
from cannery.check.http import Response
from cannery.check.question import Call, Imports, Requests, Url

if TYPE_CHECKING:
    from cannery.check.question import Question

pytestmark = pytest.mark.once

CALL = Call(("--version",))
ASKED = Requests((Url("http://:8000/", 8000, "/"),))


def compared(question: Question, image: ProgramAnswer, environment: ProgramAnswer) -> Comparison:
    """The comparison where the environment answers the same each time."""
    return compare(question, lambda: image, lambda: environment)


def served(status: int | None, body: str = "", code: int | None = 0) -> ProgramAnswer:
    return ProgramAnswer(code, "", "", (Response("http://:8000/", status, body),))


def imported(**errors: ImportOutcome) -> ProgramAnswer:
    return ProgramAnswer(0, "", "", imports={"main": ImportOutcome(), **errors})


def test_the_same_answer_is_the_same_and_asked_once() -> None:
    image, environment = (iter([ProgramAnswer(0, "1.0\n", "")]) for _ in range(2))
    assert compare(CALL, partial(next, image), partial(next, environment)).verdict == "same"


def test_exit_codes_and_the_last_line_of_errors_are_compared() -> None:
    image = ProgramAnswer(1, "", "Traceback …\nModuleNotFoundError: No module named 'yaml'\n")
    made = compared(CALL, image, ProgramAnswer(0, "1.0\n", ""))
    assert made.verdict == "differs"
    assert [each.what for each in made.differences] == ["exit code", "output", "errors"]
    assert made.differences[0] == Difference("exit code", "exit code 1", "exit code 0")


def test_a_program_that_fails_in_both_fails() -> None:
    failing = ProgramAnswer(1, "", "KeyError: 'HOME'\n")
    made = compared(CALL, failing, failing)
    assert (made.verdict, made.failures) == ("fails", (("exit code 1", True),))


def test_an_exit_code_that_changes_by_itself_does_not_count() -> None:
    environment = iter([ProgramAnswer(0, "", ""), ProgramAnswer(1, "", "")])
    assert not compare(CALL, lambda: ProgramAnswer(1, "", ""), partial(next, environment)).differences


def test_what_a_program_logs_now_and_then_does_not_count() -> None:
    logs = ProgramAnswer(0, "done\n", "I1128 the peer has gone\n")
    environment = iter([logs, logs, replace(logs, errors=""), logs])
    assert compare(CALL, lambda: replace(logs, errors=""), partial(next, environment)).verdict == "same"
    assert compare(CALL, lambda: replace(logs, errors=""), lambda: logs).verdict == "differs"


def test_an_image_that_fails_now_and_then_differs() -> None:
    good = ProgramAnswer(0, "done\n", "")
    image = iter([ProgramAnswer(1, "", "Segmentation fault\n"), good, good])
    assert compare(CALL, partial(next, image), lambda: good).verdict == "differs"


def test_status_body_and_end_of_a_server_are_compared() -> None:
    made = compared(ASKED, served(404, "not found"), served(200, "hello", code=1))
    assert [each.what for each in made.differences] == [
        "status of http://:8000/",
        "body of http://:8000/",
        "exit code after SIGTERM",
    ]


@pytest.mark.parametrize(("code", "same"), [(143, True), (0, True), (137, False), (1, False), (None, False)])
def test_a_server_may_be_ended_by_the_signal_or_end_by_itself(code: int | None, *, same: bool) -> None:
    assert (compared(ASKED, served(200), served(200, code=code)).verdict == "same") is same


@pytest.mark.parametrize(("status", "verdict"), [(200, "same"), (404, "same"), (500, "fails"), (None, "fails")])
def test_a_server_that_fails_in_both_fails(status: int | None, verdict: str) -> None:
    assert compared(ASKED, served(status), served(status)).verdict == verdict


def test_imports_are_compared_by_what_an_import_error_is_about() -> None:
    question = Imports(("a", "main"), "main")
    told = ImportOutcome(
        "ModuleNotFoundError", "yaml", "No module named 'yaml' in this program, as no import led to it"
    )
    plain = ImportOutcome("ModuleNotFoundError", "yaml", "No module named 'yaml'")
    assert compared(question, imported(a=told), imported(a=plain)).verdict == "same"
    made = compared(question, imported(a=told), imported(a=ImportOutcome()))
    assert made.differences == (Difference("import of a", "ModuleNotFoundError: yaml", "done"),)


def test_a_module_that_fails_in_both_is_told_and_only_the_entrys_is_a_failure() -> None:
    broken = ImportOutcome("ImproperlyConfigured", "", "settings are not configured")
    made = compared(Imports(("a", "main"), "main"), imported(a=broken), imported(a=broken))
    told = "import of a: ImproperlyConfigured: settings are not configured"
    assert (made.verdict, made.failures) == ("same", ((told, False),))
    made = compared(Imports(("main",), "main"), imported(main=broken), imported(main=broken))
    assert made.verdict == "fails"


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("ModuleNotFoundError: No module named 'demo.plugins.a'", '[tool.cannery]  include = ["demo.plugins.a"]'),
        ("ModuleNotFoundError: No module named 'curses'", '[tool.cannery]  stdlib = ["curses"]'),
        ("LookupError: unknown encoding: cp1252", '[tool.cannery]  include = ["encodings.*"]'),
        ("No such file or directory: '/app/templates/a.html'", '[tool.cannery]  resources = ["templates"]'),
        ("OSError: libmagic.so.1: cannot open shared object file", '[tool.cannery]  libraries = ["libmagic.so.1"]'),
        ("OSError: [Errno 30] Read-only file system: 'log.txt'", "let it write to /tmp"),
        ("sqlite3.OperationalError: unable to open database file", "let it write to /tmp"),
        ("Segmentation fault", "run it as the image does (cannery run)"),
    ],
)
def test_the_next_step_follows_from_what_the_program_says(said: str, step: str) -> None:
    assert advice(compared(CALL, ProgramAnswer(1, "", said), ProgramAnswer(0, "", ""))).startswith(step)


def test_a_program_that_only_the_environment_has_comes_first() -> None:
    found = compared(CALL, ProgramAnswer(1, "", "No module named 'x'"), ProgramAnswer(0, "", ""))
    step = advice(replace(found, lacking=("git",)))
    assert step.startswith("the environment's program starts git, which the image does not have")
    assert step.endswith('[tool.cannery]  include = ["x"]')


def test_what_the_environment_says_as_well_is_no_step() -> None:
    said = "No module named 'uvloop'"
    assert "uvloop" not in advice(compared(CALL, ProgramAnswer(1, "", said), ProgramAnswer(0, said, "")))
