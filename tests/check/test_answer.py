"""Programs are asked: a Python with a few lines stands for a virtual environment."""

from __future__ import annotations

import socket
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.check.answer import ImportOutcome, answer
from cannery.check.environment import environment
from cannery.check.question import Call, Imports, Question, questions
from cannery.check.venue import Environment
from cannery.errors import MachineError
from cannery.project.app import RequirementsFile
from cannery.project.reading import reading_of
from cannery.project.requirements import Wanted
from cannery.python.interpreter import describe
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from cannery.check.answer import ProgramAnswer
    from cannery.workspace.workspace import Workspace

    Ask = Callable[..., ProgramAnswer]

SERVER = """
    import signal, sys
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404 if self.path == "/no" else 200)
            self.end_headers()
            self.wfile.write(f"at {self.path}".encode())

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """A function that asks the program of some lines, with the modules beside it."""

    def asked(question: Question, main: str, patience: float = 30, **modules: str) -> ProgramAnswer:
        for name, text in {"main": main, **modules}.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        command = (sys.executable, str(tmp_path / "main.py"))
        venue = Environment(
            command, ("--default",), sys.executable, str(tmp_path), (str(tmp_path),), tmp_path, {"HOME": str(tmp_path)}
        )
        return answer(question, venue, patience)

    return asked


def test_a_call_has_exit_code_output_and_errors(ask: Ask) -> None:
    found = ask(Call(("a b",)), "import sys; print(sys.argv[1:]); sys.exit('no')")
    assert (found.exit_code, found.output, found.errors) == (1, "['a b']\n", "no\n")


def test_a_call_without_arguments_has_the_programs_own(ask: Ask) -> None:
    assert ask(Call(()), "import sys; print(sys.argv[1:])").output == "['--default']\n"


def test_a_signal_that_ends_a_program_counts_as_in_shells(ask: Ask) -> None:
    assert ask(Call(()), "import os; os.kill(os.getpid(), 9)").exit_code == 137


def test_a_program_that_goes_on_is_ended_with_all_that_it_started(ask: Ask) -> None:
    main = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(child.pid, flush=True)
        time.sleep(600)
    """
    found = ask(Call(()), main, patience=1)
    assert found.exit_code is None
    while _runs(int(found.output)):  # as long as the kernel takes to end it
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    """True unless the process has ended, or only waits to be reaped (proc_pid_stat(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_server_is_asked_and_ended(ask: Ask) -> None:
    port = free_port()
    (question,) = questions([f"http://:{port}/a?b=1", f"http://localhost:{port}/no"])
    found = ask(question, SERVER.replace("PORT", str(port)))
    assert [(each.status, each.body) for each in found.responses] == [(200, "at /a?b=1"), (404, "at /no")]
    assert found.exit_code == 7


def test_a_server_that_ends_before_it_answers_has_no_response(ask: Ask) -> None:
    (question,) = questions([f"http://:{free_port()}/"])
    found = ask(question, "raise SystemExit('no database')")
    assert [(each.status, each.body) for each in found.responses] == [(None, "no response: the program has ended")]
    assert (found.exit_code, found.errors) == (1, "no database\n")


def test_a_port_that_is_taken_is_the_machines_fault(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (question,) = questions([f"http://:{server.getsockname()[1]}/"])
        with pytest.raises(MachineError, match="something listens on port"):
            ask(question, "")


def test_imports_say_what_came_of_each_module(ask: Ask) -> None:
    found = ask(
        Imports(("main", "broken", "ends", "lacks")),
        "print('hello')",
        broken="raise ValueError('two\\nlines')",
        ends="raise SystemExit(3)",
        lacks="import no_such_module",
    )
    assert found.imports == {
        "main": ImportOutcome(),
        "broken": ImportOutcome("ValueError", "", "two lines"),
        "ends": ImportOutcome("SystemExit", "", "3"),
        "lacks": ImportOutcome("ModuleNotFoundError", "no_such_module", "No module named 'no_such_module'"),
    }
    assert found.output.strip() == "hello"


@pytest.mark.slow
def test_a_virtual_environment_has_the_requirements_and_is_kept(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "requirements.txt").write_text("iniconfig==2.1.0\n")
    python = describe(Path(sys.executable), workspace)
    file = RequirementsFile(tmp_path / "requirements.txt", "requirements")
    requirements = reading_of(Wanted(file, tmp_path, (), (), python.executable, (), workspace)).ask()
    folder = environment(requirements, python, workspace)
    command = [str(folder / "bin" / "python3"), "-c", "import iniconfig, sys; print(sys.prefix != sys.base_prefix)"]
    assert workspace.run(command).stdout == "True\n"
    assert environment(requirements, python, workspace) == folder
