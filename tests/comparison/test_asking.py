"""Programs that are started and asked: what came of it, their memory, and that nothing of them is left."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cannery.comparison.asking import NO_ANSWER, Probe, ask
from cannery.comparison.launch import ProgramLaunch
from cannery.comparison.measurement import Lack, Running
from cannery.comparison.processes import descendants, is_running, memory
from cannery.comparison.rounds import LOADED, run_in_rounds
from cannery.workspace.process import run
from tests.support.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

SERVER = """
import http.server, os, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"hello"
        self.send_response(200 if self.path == "/" else 404)
        self.send_header({header})
        self.end_headers()
        self.wfile.write({body})
    def log_message(self, *words): pass
socketserver.ThreadingTCPServer.allow_reuse_address = True
if os.fork():
    os.wait()
else:
    socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
PLAIN = SERVER.format(header='"Content-Length", "5"', body="body")
CHUNKED = SERVER.format(header='"Transfer-Encoding", "chunked"', body='b"5\\r\\nhello\\r\\n0\\r\\n\\r\\n"')
TO_THE_END = SERVER.format(header='"Connection", "close"', body="body")


def launch(tmp_path: Path, code: str, *arguments: str) -> ProgramLaunch:
    return ProgramLaunch((sys.executable, "-c", code), arguments, tmp_path, {"PATH": "/usr/bin:/bin"})


def test_a_call_is_timed_to_its_end(tmp_path: Path) -> None:
    answer = ask(launch(tmp_path, "import sys; sys.exit('no')", "by itself"), Probe("the program"), 30, run)
    assert (answer.outcome, answer.last_line) == ("exit code 1", "no")
    assert 0 < answer.seconds < 30


def test_arguments_take_the_place_of_a_programs_own(tmp_path: Path) -> None:
    told = launch(tmp_path, "import sys; sys.exit(len(sys.argv))", "a", "b", "c")
    assert ask(told, Probe("-v", ("-v",)), 30, run).outcome == "exit code 2"
    assert ask(told, Probe("the program"), 30, run).outcome == "exit code 4"


def test_a_program_that_doesnt_end_is_ended(tmp_path: Path) -> None:
    answer = ask(launch(tmp_path, "import time; time.sleep(600)"), Probe("the program"), 0.2, run)
    assert answer.outcome == NO_ANSWER


def test_each_start_has_an_empty_home(tmp_path: Path) -> None:
    code = "import pathlib, sys; made = pathlib.Path.home() / 'made'; sys.exit(made.exists() or made.mkdir())"
    told = launch(tmp_path, code)
    assert [ask(told, Probe("the program"), 30, run).outcome for _ in range(2)] == ["exit code 0"] * 2


@pytest.mark.slow
@pytest.mark.parametrize("code", [PLAIN, CHUNKED, TO_THE_END], ids=["length", "chunked", "until closed"])
def test_a_server_is_asked_until_it_answers_and_then_many_times(tmp_path: Path, code: str) -> None:
    port = free_port()
    answer = ask(launch(tmp_path, code, str(port)), Probe("/", port=port), 30, run, load=True)
    assert answer.outcome == "status 200"
    assert answer.load is not None
    assert answer.load.rate > 0
    assert answer.load.failed == 0
    assert answer.idle is not None
    assert answer.loaded is not None
    assert answer.idle > 5_000_000  # two processes of Python


def test_a_server_that_ends_gives_no_answer(tmp_path: Path) -> None:
    port = free_port()
    answer = ask(launch(tmp_path, "raise SystemExit('broken')"), Probe("/", port=port), 30, run)
    assert (answer.outcome, answer.last_line) == (NO_ANSWER, "broken")


def test_all_processes_of_a_server_are_gone_before_the_next_starts(tmp_path: Path) -> None:
    port = free_port()
    for _ in range(3):
        assert ask(launch(tmp_path, PLAIN, str(port)), Probe("/", port=port), 30, run).outcome == "status 200"


def test_the_memory_of_processes_is_that_of_all(tmp_path: Path) -> None:
    told = launch(tmp_path, "import os, time; os.fork(); print(flush=True); time.sleep(600)")
    with (tmp_path / "out").open("w+b") as output:
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        started = told.start((), output, output, scratch)
        try:
            while (tmp_path / "out").read_bytes().count(b"\n") < 2:
                assert started.process.poll() is None
            parent, child = started.processes()
            both = memory([parent, child])
            assert both is not None
            assert both > (memory([child]) or 0) > 0
            assert descendants(parent) == [child]
        finally:
            for each in reversed(started.processes()):
                run(["kill", "-9", str(each)])
            started.process.wait()
    assert not is_running(parent)


def test_who_answers_otherwise_takes_no_part(tmp_path: Path, workspace: Workspace) -> None:
    launches = {
        "environment": launch(tmp_path, "pass"),
        "good": launch(tmp_path, "pass"),
        "broken": launch(tmp_path, "import no_such_module"),
    }
    found = run_in_rounds(launches, Probe("the program"), LOADED, 30, workspace, "environment")
    assert isinstance(found["good"], Running)
    assert len(found["good"].start.values) == LOADED
    lack = found["broken"]
    assert isinstance(lack, Lack)
    assert lack.reason == (
        "exit code 1, and exit code 0 in a virtual environment: ModuleNotFoundError: No module named 'no_such_module'"
    )


def test_a_machine_that_lets_no_container_start_is_named(tmp_path: Path, workspace: Workspace) -> None:
    told = ["unshare is refused", "EPERM", "allow namespaces"]
    code = f"import json, sys; sys.stderr.write(json.dumps({told!r})); sys.exit(125)"
    launches = {"environment": launch(tmp_path, "pass"), "scratch": launch(tmp_path, code)}
    found = run_in_rounds(launches, Probe("the program"), LOADED, 30, workspace, "environment")
    assert found["scratch"] == Lack("run", "unshare is refused: EPERM", "allow namespaces")


@pytest.mark.slow
def test_an_address_that_fails_the_same_everywhere_is_compared_all_the_same(
    tmp_path: Path, workspace: Workspace
) -> None:
    port = free_port()
    launches = {"environment": launch(tmp_path, PLAIN, str(port))}
    probe = Probe("/none", port=port, target="/none")
    found = run_in_rounds(launches, probe, LOADED, 30, workspace, "environment")["environment"]
    assert isinstance(found, Running)
    assert found.rate is not None
    assert len(found.rate.values) == LOADED
