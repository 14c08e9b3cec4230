"""How frozen programs end: by the exit codes and with the words of Python itself, and after one signal for one."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.executable.onefile.conftest import freeze, write_project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.once, pytest.mark.slow, pytest.mark.usefixtures("own_cache")]

FILES = {
    "pyproject.toml": "[tool.cannery]\nname = 'ender'\n",
    "main.py": """
        import atexit, os, signal, sys, threading, time

        def hook(kind, error, traceback):
            print("hooked", kind.__name__)

        def tell(number, frame):
            print(signal.Signals(number).name, flush=True)
            if number == signal.SIGUSR1:
                sys.exit(5)

        def wait():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
                signal.signal(number, tell)
            print("ready", os.getpid(), flush=True)
            while True:
                signal.pause()

        atexit.register(print, "at exit")
        match sys.argv[1:]:
            case ["raise"]:
                {}["key"]
            case ["hook"]:
                sys.excepthook = hook
                {}["key"]
            case ["exit", code]:
                sys.exit(int(code))
            case ["say"]:
                sys.exit("said")
            case ["thread"]:
                threading.Thread(target=lambda: (time.sleep(0.1), print("joined"))).start()
                raise KeyboardInterrupt
            case ["kill", number]:
                os.kill(os.getpid(), int(number))
                time.sleep(9)
            case ["wait"]:
                wait()
    """,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("ender"), FILES)


@pytest.fixture(scope="module", params=["static", "folder"])
def program(request: pytest.FixtureRequest, project: Path, own_cache: Path) -> Path:  # noqa: ARG001  # freezing uses it
    path = freeze(project, f"--form={request.param}").path
    return path / "ender" if path.is_dir() else path


@pytest.mark.parametrize(
    "arguments", ["raise", "hook", "exit 0", "exit 3", "say", "thread", "kill 2", "kill 15", "kill 6", ""]
)
def test_a_program_ends_as_python_does(program: Path, project: Path, arguments: str) -> None:
    expected, done = (
        subprocess.run([*command, *arguments.split()], cwd=project, capture_output=True, text=True, check=False)
        for command in ([sys.executable, "main.py"], [str(program)])
    )
    assert shown(done.returncode) == shown(expected.returncode)
    assert done.stdout == expected.stdout
    assert done.stderr.splitlines()[-1:] == expected.stderr.splitlines()[-1:]
    assert done.stderr.count("\n  File ") == expected.stderr.count("\n  File ")


def shown(code: int) -> int:
    """The code that a shell shows."""
    return 128 - code if code < 0 else code


def test_ctrl_c_reaches_a_program_once(program: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(program, [str(program), "wait"])  # noqa: S606  # it's what is tested
    with os.fdopen(terminal, "rb", buffering=0) as file:
        app = int(line(file).split()[1])
        os.write(terminal, b"\x03")
        told = line(file)
        os.kill(app, signal.SIGUSR1)
        assert [told, line(file)] == ["^CSIGINT", "SIGUSR1"]
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("whole_group", [False, True])
def test_a_signal_reaches_a_program_once(program: Path, number: signal.Signals, *, whole_group: bool) -> None:
    with subprocess.Popen([program, "wait"], start_new_session=True, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        app = int(line(process.stdout).split()[1])
        (os.killpg if whole_group else os.kill)(process.pid, number)
        told = line(process.stdout)
        os.kill(app, signal.SIGUSR1)
        assert [told, line(process.stdout)] == [number.name, "SIGUSR1"]
    assert process.returncode == 5


def line(file: object) -> str:
    """The next line, without what a terminal puts at its end."""
    return file.readline().decode().strip()  # type: ignore[attr-defined, no-any-return]  # of any raw file


def test_what_a_killed_start_has_left_is_removed_by_the_next_and_nothing_else(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if program.parent.name.endswith("-folder"):
        pytest.skip("a folder unpacks nothing")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    left = {name: tmp_path / f"staticx-{name}" for name in ("empty", "partly", "killed", "young", "live", "others")}
    for name, folder in left.items():
        folder.mkdir(mode=0o700)
        if name != "empty":
            (folder / ("ender" if name != "others" else "other")).touch()
        if name in {"killed", "live"}:
            (folder / ".cannery-running").touch()
        if name != "young":
            os.utime(folder, (1, 1))
    with (left["live"] / ".cannery-running").open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        assert subprocess.run([program, "exit", "0"], check=False).returncode == 0
    assert {name for name, folder in left.items() if folder.exists()} == {"young", "live", "others"}
    assert len([*tmp_path.iterdir()]) == 3  # its own is gone as well


def test_a_start_that_is_killed_while_it_unpacks_is_cleaned_up_after(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if program.parent.name.endswith("-folder"):
        pytest.skip("a folder unpacks nothing")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with subprocess.Popen([program, "exit", "0"]) as process:
        while not (unpacked := [*tmp_path.glob("staticx-*")]):
            assert process.poll() is None
        process.terminate()
    os.utime(unpacked[0], (1, 1))
    subprocess.run([program, "exit", "0"], check=True)
    assert not [*tmp_path.iterdir()]
