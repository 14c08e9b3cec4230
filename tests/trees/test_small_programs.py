"""The health check and the init that lie beside an app's program: what they do, and that they are made of their C."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.executable.kit.toolchain import TARGETS
from cannery.image.platform import Platform, machine_platform
from cannery.image.tree import LazyTree, Tree
from cannery.project.config import load
from cannery.trees.small_programs import AGAIN, HEALTH, INIT, health_settings, small_program, with_small_programs
from tests.support.emulator import QEMU
from tests.support.ports import free_port
from tests.support.prerequisites import absent
from tests.support.small_programs import MADE_BY, file_of, made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.executable.kit.toolchain import BuildTarget
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

NOTHING = LazyTree("nothing", Tree)


def app_with(make_project: MakeProject, **settings: object) -> App:
    return load(make_project({"main.py": ""}), settings)


def placed(app: App, target: BuildTarget, folder: Path) -> dict[str, list[str]]:
    """The programs in the image of ``app``, written to ``folder``: image path -> the command that runs each."""
    tree = with_small_programs(NOTHING, app, Platform.parse(target.platform)).tree
    emulated = not target.triple.startswith(f"{os.uname().machine}-")
    if emulated and shutil.which(QEMU) is None:
        absent(QEMU)
    commands = {}
    for path, file in tree.files():
        program = folder / Path(path).name
        with file.content.open() as stream:
            program.write_bytes(stream.read())
        program.chmod(file.mode)
        commands[path] = [*([QEMU] if emulated else []), str(program)]
    return commands


@pytest.fixture(params=TARGETS, ids=lambda target: target.platform)
def target(request: pytest.FixtureRequest) -> BuildTarget:
    found: BuildTarget = request.param
    return found


class Answers(BaseHTTPRequestHandler):
    """Answers ``/health`` by 200 where the host is the one that it goes by, ``/moved`` by 302, all else by 503."""

    def do_GET(self) -> None:
        own = self.headers["Host"].partition(":")[0] in {"localhost", "shop.example"}
        self.send_response({"/health": 200, "/moved": 302}.get(self.path, 503) if own else 400)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def asked(command: list[str], *words: str) -> tuple[int, str]:
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def test_a_program_that_answers_is_well(make_project: MakeProject, tmp_path: Path, target: BuildTarget) -> None:
    with serving() as port:
        health = placed(app_with(make_project, health=f"http://shop.example:{port}/health"), target, tmp_path)[HEALTH]
        assert asked(health) == (0, "")
        assert asked(health, str(port), "/moved") == (0, "")
        assert asked(health, str(port), "/else") == (1, "HTTP/1.0 503 Service Unavailable\n")
    assert asked(health) == (1, f"nobody listens on port {port}\n")


def test_an_answer_that_does_not_come_or_is_none_is_no_health(make_project: MakeProject, tmp_path: Path) -> None:
    health = placed(app_with(make_project, health=f":{free_port()}/"), TARGETS[0], tmp_path)[HEALTH]
    code = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)\n"
    code += "c, _ = s.accept(); c.send(sys.argv[1].encode()); c.close()"
    for answer, told in ("", "no answer\n"), ("SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2\n"):
        server = subprocess.Popen([sys.executable, "-c", code, answer], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        assert asked(health, server.stdout.readline().strip()) == (1, told)
        server.wait()
        server.stdout.close()


def test_the_port_is_the_one_that_the_program_listens_on(make_project: MakeProject) -> None:
    ports = ("53/udp", "127.0.0.1:18000:8000")
    assert health_settings(app_with(make_project, health="/up", ports=ports)) == ("8000", "localhost:8000", "/up")
    assert health_settings(app_with(make_project, health=":9/up", ports=ports)) == ("9", "localhost:9", "/up")
    with pytest.raises(ConfigurationError, match="nothing says which port the program listens on"):
        health_settings(app_with(make_project, health="/up"))
    with pytest.raises(ConfigurationError, match="too long"):
        health_settings(app_with(make_project, health=f":9/{'x' * 500}"))
    with pytest.raises(ConfigurationError, match="health"):
        app_with(make_project, health="up")


def test_other_settings_make_another_tree_and_none_leave_it_alone(make_project: MakeProject) -> None:
    here = Platform("linux", "amd64")
    assert with_small_programs(NOTHING, app_with(make_project), here) is NOTHING
    settings: list[dict[str, object]] = [{"init": True}, {"health": ":8000/a"}, {"health": ":8000/b"}]
    trees = [with_small_programs(NOTHING, app_with(make_project, **each), here) for each in settings]
    assert len({tree.key for tree in trees}) == 3
    assert [list(tree.tree.entries) for tree in trees] == [[INIT], [HEALTH], [HEALTH]]
    with pytest.raises(ConfigurationError, match="no health check and no init for linux/s390x"):
        with_small_programs(NOTHING, app_with(make_project, init=True), Platform("linux", "s390x"))


@pytest.fixture
def init(make_project: MakeProject, tmp_path: Path, target: BuildTarget) -> list[str]:
    return placed(app_with(make_project, init=True), target, tmp_path)[INIT]


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -KILL $$", 137), ("exit 0", 0)])
def test_an_init_ends_as_its_program_does(init: list[str], script: str, code: int) -> None:
    assert asked([*init, "/bin/sh", "-c", script]) == (code, "")


def test_a_program_that_is_not_there_is_told(init: list[str]) -> None:
    assert asked([*init, "/nothing"]) == (127, "/nothing: there is no such program\n")
    assert asked([*init, "/etc/passwd"]) == (126, "/etc/passwd: cannot be run\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_the_program_which_may_end_as_it_likes(init: list[str], number: signal.Signals) -> None:
    script = f"trap 'echo told; exit 3' {number.value}; echo ready; while :; do sleep 0.01; done"
    process = subprocess.Popen([*init, "/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.stdout.read() == "told\n"
    assert process.wait() == 3
    process.stdout.close()


def test_orphans_are_waited_for(make_project: MakeProject, tmp_path: Path) -> None:
    """An orphan becomes a child of the init, which leaves no zombie behind."""
    (native,) = (each for each in TARGETS if each.triple.startswith(f"{os.uname().machine}-"))
    init = placed(app_with(make_project, init=True), native, tmp_path)[INIT]
    script = "(sh -c 'exit 0' & sh -c 'exit 0' & exit 0); echo ready; read line"
    process = subprocess.Popen([*init, "/bin/sh", "-c", script], stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 10
    while len(children.read_text().split()) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(children.read_text().split()) == 1  # the program itself
    process.communicate("\n")
    assert process.returncode == 0


@pytest.mark.parametrize("name", ["again", "health", "init"])
def test_a_program_is_what_zig_makes_of_its_source(name: str, target: BuildTarget, workspace: Workspace) -> None:
    if version("ziglang") != MADE_BY:
        pytest.skip(f"made by zig {MADE_BY}")
    data = made(name, target, workspace)
    assert file_of(name, target).read_bytes() == data
    assert len(data) < 3000


def test_a_program_starts_again_when_it_is_told_and_ends_when_it_is_asked(tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.write_bytes(small_program(AGAIN, machine_platform()))
    again.chmod(0o755)
    code = "import os, signal, sys; signal.signal(15, lambda *_: sys.exit(5)); print(os.getpid(), flush=True); "
    code += "sys.exit(3) if os.path.exists('brief') else signal.pause()"
    command = [str(again), sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        (tmp_path / "brief").touch()
        first = process.stdout.readline()
        assert process.stderr.readline() == "the program has ended: it's started again with the next change\n"
        (tmp_path / "brief").unlink()
        process.send_signal(64)
        second = process.stdout.readline()
        process.send_signal(64)
        assert len({first, second, process.stdout.readline()}) == 3
        process.terminate()
        assert process.wait(30) == 5
    assert subprocess.run([again], capture_output=True, check=False).returncode == 2
