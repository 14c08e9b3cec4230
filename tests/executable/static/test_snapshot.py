"""An executable that starts from memory does what any does, and each process of it has its own secrets."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
WITHOUT = HERE / "without_getrandom.py"
OWN = {"PATH": "/usr/local/bin", "HOME": "/tmp"}  # as the image has it
pytestmark = pytest.mark.once


def built(
    folder: Path, kit: Path, cache: Path, *, wanted: str = "true", file: Path | None = None, code: int = 0
) -> tuple[Path, str]:
    """The executable of the project, which is copied to ``folder``, with ``wanted`` in memory; what its build said.

    The program looks for the ``file`` when it's imported, which is not there, or for ``there`` beside itself. The build
    ends with ``code``.
    """
    if not list(kit.glob("python-3.13*amd64*")) if kit.is_dir() else "python-3.13" not in kit.name:
        absent("a kit of Python 3.13 for x86-64: CANNERY_KIT names none")
    shutil.copytree(HERE / "remembering", folder)
    settings = folder / "pyproject.toml"
    text = settings.read_text(encoding="utf-8").replace("snapshot = true", f"snapshot = {wanted}")
    settings.write_text(text, encoding="utf-8")
    looked_for = folder / "dist/there" if file is None else file
    (folder / "remembering/places.py").write_text(f"FILE = {str(looked_for)!r}\n", encoding="utf-8")
    environment = {**os.environ, "CANNERY_KIT": str(kit), "CANNERY_CACHE": str(cache)}
    command = [sys.executable, "-m", "cannery", "freeze", "--json"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return folder / "dist/remembering", done.stderr if code else done.stdout


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, kit: Path, cache: Path) -> Path:
    """The executable."""
    return built(tmp_path_factory.mktemp("snapshot") / "remembering", kit, cache)[0]


def ask(program: Path, *words: str, env: Mapping[str, str] = OWN, cwd: str = "/", before: tuple[str, ...] = ()) -> str:
    """What the program prints."""
    command = [*before, str(program), *words]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_goes_on_from_memory_where_all_is_as_it_was_then(program: Path) -> None:
    assert ask(program, "kind") == "restored\n"


@pytest.mark.parametrize(
    ("env", "cwd"),
    [({**OWN, "CANNERY_SNAPSHOT": "0"}, "/"), ({**OWN, "ASKED": "now"}, "/"), (OWN, "/usr")],
)
def test_it_starts_as_any_where_something_is_different(program: Path, env: Mapping[str, str], cwd: str) -> None:
    assert ask(program, "kind", env=env, cwd=cwd) == "ordinary\n"


def test_processes_of_one_number_have_nothing_random_in_common(program: Path) -> None:
    alone = ("unshare", "--pid", "--fork", "--map-root-user") if os.getuid() else ("unshare", "--pid", "--fork")
    told = [
        json.loads(ask(program, "fresh", before=(shutil.which(alone[0]) or alone[0], *alone[1:]))) for _ in range(3)
    ]
    for name in told[0]:
        assert len({each[name] for each in told}) == 3, name


def test_every_key_is_found_with_any_secret(program: Path) -> None:
    for _ in range(5):
        assert ask(program, "found") == "[] once True\n"


def test_a_process_has_its_own_arguments_variables_thread_and_clock(program: Path) -> None:
    assert ask(program, "own", env={**OWN, "MINE": "yes"}) == "['own'] yes True True\n"


def test_variables_that_modules_set_are_set_in_each_process(program: Path) -> None:
    assert ask(program, "variables") == "by the program False ('by the program', 'too') by the program none\n"
    given = {**OWN, "CHOSEN": "by others"}
    assert ask(program, "variables", env=given) == "by others False ('by others', 'too') by others none\n"


def test_called_as_python_it_is_an_ordinary_one(program: Path) -> None:
    assert ask(program, "children") == "0\n\n"


def test_a_signal_is_handled_as_the_program_says(program: Path) -> None:
    with subprocess.Popen([program, "wait"], cwd="/", env=OWN, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait() == 7


def test_a_signal_while_it_starts_ends_it_or_is_handled(program: Path) -> None:
    for _ in range(5):
        with subprocess.Popen([program, "wait"], cwd="/", env=OWN, stdout=subprocess.DEVNULL) as running:
            running.send_signal(signal.SIGTERM)
            assert running.wait() in {7, -signal.SIGTERM}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_do_their_work(program: Path, method: str) -> None:
    assert ask(program, "child", method) == f"from a child by {method}\n0\n"


def test_signals_that_were_ignored_stay_so(program: Path) -> None:
    ignoring = ("/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    assert ask(program, "streams", before=ignoring) == "False False <stdout> True\n"


def test_a_terminal_is_one(program: Path) -> None:
    ours, theirs = os.openpty()
    subprocess.run([program, "streams"], cwd="/", env=OWN, stdin=theirs, stdout=theirs, check=True)
    assert os.read(ours, 100) == b"True True <stdout> False\r\n"
    os.close(ours)
    os.close(theirs)


def test_little_memory_is_enough(program: Path) -> None:
    limited = ("/bin/sh", "-c", 'ulimit -v 65536; exec "$@"', "sh")  # KiB of addresses
    assert ask(program, "kind", before=limited) == "restored\n"


def test_a_kernel_without_getrandom_has_another_source(program: Path) -> None:
    drawn = {ask(program, "drawn", before=(sys.executable, str(WITHOUT))) for _ in range(2)}
    assert len(drawn) == 2


def test_closed_streams_are_none(program: Path) -> None:
    command = ["/bin/sh", "-c", f"{program} kind <&- 2>&-"]
    assert subprocess.run(command, cwd="/", env=OWN, capture_output=True, text=True, check=True).stdout == "restored\n"


def test_it_is_the_same_every_time(tmp_path: Path, kit: Path, cache: Path, program: Path) -> None:
    there = program.parent / "there"
    again, _ = built(tmp_path / "elsewhere", kit, cache, wanted='["remembering.main"]', file=there)  # which starts
    assert again.read_bytes() == program.read_bytes()


def test_where_a_file_is_that_was_not_there_it_starts_as_any(program: Path) -> None:
    there = program.parent / "there"
    there.touch()
    try:
        assert ask(program, "kind") == "ordinary\n"
    finally:
        there.unlink()
    assert ask(program, "kind") == "restored\n"


ENDING = (HERE / "remembering/remembering/ending.py").read_text(encoding="utf-8")
ADDRESS = re.compile(rb"0x[0-9a-f]+")  # of an object: in any two processes another
WAYS = sorted(set(re.findall(r"^def (\w+)", ENDING, re.MULTILINE)) - {"suspended"})


@pytest.mark.parametrize("way", WAYS)
def test_it_ends_as_any(program: Path, way: str) -> None:
    command = [str(program), "end", way]
    both = [
        subprocess.run(
            command, cwd="/", env={**OWN, **more}, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        for more in ({}, {"CANNERY_SNAPSHOT": "0"})
    ]
    assert both[0].stdout == both[1].stdout
    assert ADDRESS.sub(b"", both[0].stderr) == ADDRESS.sub(b"", both[1].stderr)
    assert both[0].returncode == both[1].returncode


def test_what_could_not_be_written_is_told_by_the_exit_code(program: Path) -> None:
    both = []
    for more in ({}, {"CANNERY_SNAPSHOT": "0"}):
        with Path("/dev/full").open("wb") as full:
            command, env = [str(program), "end", "text"], {**OWN, **more}
            both.append(subprocess.run(command, cwd="/", env=env, stdout=full, stderr=subprocess.PIPE, check=False))
    assert [each.returncode for each in both] == [120, 120]
    assert ADDRESS.sub(b"", both[0].stderr) == ADDRESS.sub(b"", both[1].stderr)


def test_modules_are_not_taken_apart_where_nobody_can_notice(program: Path) -> None:
    def faults(way: str) -> int:
        with subprocess.Popen([program, "end", way], cwd="/", env=OWN, stdout=subprocess.DEVNULL) as running:
            return os.wait4(running.pid, 0)[2].ru_minflt

    assert faults("plain") < faults("objects") - 100  # pages that are not written to


def test_a_process_has_its_own_time_zone(program: Path) -> None:
    assert ask(program, "zone", env={**OWN, "TZ": "ABC-9"}) == "ABC 9\n"
    assert ask(program, "zone") == "UTC 0\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")
def test_another_user_gets_an_ordinary_start_where_somebody_asked(outside: tuple[Path, str]) -> None:
    become = "os.setgroups([]), os.setgid(12345), os.setuid(12345)"
    other = f"import os, sys; file = os.open(sys.argv[1], 0); {become}; os.execve(file, sys.argv[1:], os.environ)"
    assert ask(outside[0], "kind", before=(sys.executable, "-c", other)) == "ordinary\n"


OUTSIDE = {
    "copying": "reads all variables",
    "counting": "asks how many processors there are",
    "drawing": "asks for random numbers",
    "keeping": "has objects that keep a hash (kept)",
    "leaving": "leaves a file open",
    "listening": "makes a socket",
    "looking": "asks whether there's a terminal",
    "reading": "looks at the file /etc/passwd",
    "rolling": "asks for random numbers",
    "starting": "starts a program",
    "swallowing": "goes on where remembering.drawing can't be imported, whatever the error",
    "working": "starts a thread",
}


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory, kit: Path, cache: Path) -> tuple[Path, str]:
    """An executable of modules that can't be in memory, and what its build said."""
    wanted = json.dumps([f"remembering.{name}" for name in OUTSIDE])
    return built(tmp_path_factory.mktemp("outside") / "remembering", kit, cache, wanted=wanted)


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_memory_does_not_hold_is_done_at_the_start_and_named(outside: tuple[Path, str], name: str) -> None:
    report = json.loads(outside[1])
    assert report["snapshot"]["late"][f"remembering.{name}"] == OUTSIDE[name]
    assert "remembering.main" in report["snapshot"]["modules"]
    assert {"the folder /", "the variable ASKED as in the image"} <= set(report["snapshot"]["assumed"])
    decisions = {each["path"]: each["why"] for each in report["decisions"]}
    assert decisions[f"remembering.{name}"] == f"it {OUTSIDE[name]}"


def test_nobody_draws_under_the_name_of_another(tmp_path: Path, kit: Path, cache: Path) -> None:
    program, said = built(tmp_path / "posing", kit, cache, wanted='["remembering.posing"]', code=7)
    assert "code that runs under the name of elsewhere asks for random numbers" in said
    assert not program.exists()


def test_modules_that_stay_out_are_imported_at_the_start(outside: tuple[Path, str]) -> None:
    program, _ = outside
    assert ask(program, "kind") == "restored\n"
    assert ask(program, "drawn") != ask(program, "drawn")
    assert ask(program, "late") == "True True 1\n1 True False True\nhere remembering.drawing False\n"


def test_it_tells_what_is_not_found_again(program: Path) -> None:
    assert ask(program, env={**OWN, "CANNERY_SNAPSHOT": "verify"}) == ""
