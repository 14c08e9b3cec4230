"""Static executables for 64-bit ARM, linked on another machine and run by an emulator of it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.executable.static.conftest import HERE
from tests.support.emulator import QEMU, on_arm64, on_no_other_machine, require_qemu
from tests.support.ports import free_port
from tests.support.repository import assert_tests_pass, copy_example

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.uname().machine == "aarch64", reason="it's this machine's own platform"),
]

PLATFORM = "--platform=linux/arm64"
CANNERY = (sys.executable, "-m", "cannery")


@pytest.fixture(scope="module")
def environment(kits: Path, cache: Path) -> dict[str, str]:
    """What a build for 64-bit ARM is told."""
    require_qemu()
    return {**os.environ, "CANNERY_KIT": str(kits), "CANNERY_CACHE": str(cache), "CANNERY_ENGINE": "none"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """The probe's image, and beside it the executable."""
    project = shutil.copytree(HERE / "probe", tmp_path_factory.mktemp("arm64") / "probe")
    for task in ("image", "freeze"):
        subprocess.run([*CANNERY, task, "--recipe=static", PLATFORM], cwd=project, env=environment, check=True)
    return project


def run_image(project: Path, environment: dict[str, str], *arguments: str) -> str:
    """Run the image as cannery runs images: read-only, as 65535, in namespaces."""
    command = on_arm64(*CANNERY, "run", "--recipe=static", "--", *arguments)
    told = {**environment, "CANNERY_PLATFORM": "linux/arm64"}
    return subprocess.run(command, cwd=project, env=told, stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("pool fork", "[0, 1, 4, 9] True\n"),
        ("pool spawn", "[0, 1, 4, 9] True\n"),
        ("pool forkserver", "[0, 1, 4, 9] True\n"),
        ("names", "127.0.0.1\nb'xn--bcher-kva.example'\n"),
        (
            "libraries",
            "SQLITE\nsame same same\nc672b8d1 0.1428571428571428571428571429\n[-1074.0, -1065.0, 0.0, 1023.0]\n42 1\n",
        ),
        ("errors", 2 * "[Errno 9] Bad file descriptor\n"),
        ("zones", "2:00:00\n"),
        ("resources", "grüezi grüezi\ngrüezi\n"),
    ],
)
def test_an_image_runs_as_this_machine_s_does(
    arguments: str, answer: str, made: Path, environment: dict[str, str]
) -> None:
    assert run_image(made, environment, *arguments.split()) == answer


def test_sys_executable_is_a_python(made: Path, environment: dict[str, str]) -> None:
    command, module, script = run_image(made, environment, "python").splitlines()
    assert command == "['-c', '-x']"
    assert module.startswith("/app/probe/checks.py ['/app/probe/__main__.py', 'where']")
    assert script == "['3']"


def test_an_image_that_nothing_here_runs_says_what_would(made: Path, environment: dict[str, str]) -> None:
    command = on_no_other_machine(*CANNERY, "run", "--recipe=static", "--", "where")
    told = {**environment, "CANNERY_PLATFORM": "linux/arm64"}
    refused = subprocess.run(command, cwd=made, env=told, capture_output=True, text=True, check=False)
    assert refused.returncode == 126
    assert "'/usr/local/bin/probe' can't be executed\n  Exec format error\nNext: where it" in refused.stderr


def test_a_packed_one_needs_an_emulator_that_the_system_finds(made: Path) -> None:
    command = on_no_other_machine(QEMU, str(made / "dist/probe-static-linux-arm64"), "where")
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 71
    assert refused.stderr == (
        "error: this program can't be unpacked into memory: execveat: Exec format error\n"
        'Next: let the system find the emulator that this runs in (binfmt_misc), or build it with  packing = "none"\n'
    )


def test_one_that_is_not_packed_runs_in_an_emulator_that_nobody_registered(
    environment: dict[str, str], tmp_path: Path
) -> None:
    project = shutil.copytree(HERE / "probe", tmp_path / "probe")
    with (project / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[tool.cannery.static]\npacking = "none"\n')
    subprocess.run([*CANNERY, "freeze", "--recipe=static", PLATFORM], cwd=project, env=environment, check=True)
    command = on_no_other_machine(QEMU, str(project / "dist/probe-static-linux-arm64"), "libraries")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "42 1"


def frozen(name: str, folder: Path, environment: dict[str, str]) -> Path:
    """A copy of the example, with its executable below ``dist``."""
    project = copy_example(name, folder)
    subprocess.run([*CANNERY, "freeze", "--recipe=static", PLATFORM], cwd=project, env=environment, check=True)
    return project


def test_the_command_line_that_fire_makes_works(environment: dict[str, str], tmp_path: Path) -> None:
    project = frozen("greeter", tmp_path, environment)
    assert_tests_pass(project / "tests", GREETER=shlex.join(on_arm64(str(project / "dist/greeter-static-linux-arm64"))))


def test_the_service_answers_and_ends_when_it_is_told_to(environment: dict[str, str], tmp_path: Path) -> None:
    project = frozen("random_api", tmp_path, environment)
    port = free_port()
    command = on_arm64(
        str(project / "dist/random-api-static-linux-arm64"), "--host=127.0.0.1", f"--port={port}", "--workers=2"
    )
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            said = ""
            while said.count("Booting worker") < 2:
                line = server.stderr.readline()
                assert line, said
                said += line
            assert_tests_pass(project / "tests/test_api.py", RANDOM_API_URL=f"http://127.0.0.1:{port}")
        finally:
            server.send_signal(signal.SIGTERM)
            server.stderr.read()
    assert server.returncode == 0
