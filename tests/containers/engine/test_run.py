"""``cannery run`` in an engine: the program is given what the settings say, and behaves as if it ran here."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.containers.engine.conftest import cannery, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine_services import Service


pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def nothing_is_left_behind(service: Service) -> Iterator[None]:
    yield
    assert service.containers() == []


@pytest.mark.once
@pytest.mark.usefixtures("service")
def test_the_program_is_given_what_the_settings_say(project: Path) -> None:
    done = cannery("run", "--", "show", "two  words", "", cwd=project)
    shown = json.loads(done.stdout)
    assert shown["arguments"] == ["two  words", ""]
    assert shown["environment"]["GREETING"] == "hello"
    assert shown["user"] == [1234, 1234]
    assert shown["capabilities"] == 0
    assert shown["no new privileges"] == 1
    assert shown["folders"] == {"/": False, "/app": False, "/data": True, "/tmp": True}
    assert shown["terminal"] == [False, False, False]


@pytest.mark.once
@pytest.mark.usefixtures("service")
def test_the_exit_code_comes_back(project: Path) -> None:
    assert cannery("run", "--", "fail", cwd=project).returncode == 3


@pytest.mark.usefixtures("service")
def test_the_streams_are_the_program_s(project: Path) -> None:
    given = "in\n" * 100_000
    done = cannery("run", "--", "streams", cwd=project, stdin=given)
    assert done.stdout == given
    assert done.stderr.endswith("e" * 200_000)


@pytest.mark.once
@pytest.mark.usefixtures("service")
def test_a_reader_who_has_seen_enough_ends_the_program(project: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -m cannery run -- streams | head -c 1; exit ${{PIPESTATUS[0]}}"
    shell = ["bash", "-c", command]
    done = subprocess.run(shell, cwd=project, input=b"x" * 10**6, capture_output=True, check=False)
    assert done.returncode == 128 + signal.SIGPIPE
    assert b"gone" not in done.stderr


@pytest.mark.once
@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_reaches_the_program(project: Path, number: signal.Signals) -> None:
    with started(project, "catch") as process:
        process.send_signal(number)
        assert process.communicate()[0] == f"caught {number.name}\n"
    assert process.returncode == number


@pytest.mark.once
@pytest.mark.usefixtures("service")
def test_a_program_that_hears_no_signal_is_ended_by_the_third(project: Path) -> None:
    with started(project, "deaf") as process:
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):  # signals that come at once count as one
                process.wait(timeout=1)
        process.wait()
    assert process.returncode == 128 + signal.SIGKILL


@pytest.mark.once
@pytest.mark.usefixtures("service")
def test_a_terminal_s_size_keys_and_end_are_the_program_s(project: Path) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "cannery", "run", "--", "size"],
        cwd=str(project),
        encoding="utf-8",
        dimensions=(31, 77),
        timeout=60,
    )
    child.expect("size 77 31")
    child.setwinsize(42, 99)
    child.expect("size 99 42")
    child.sendintr()
    child.expect("KeyboardInterrupt")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


@pytest.mark.once
def test_ports_are_published_here_and_nowhere_else(service: Service, project: Path) -> None:
    (ports,) = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["cannery"]["ports"]
    published, _, port = ports.partition(":")
    with started(project, "catch") as process:
        (container,) = service.client.containers()
        bindings = service.client.inspect_container(container["Id"])["HostConfig"]["PortBindings"]
        process.terminate()
        process.communicate()
    assert bindings == {f"{port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": published}]}


@pytest.mark.once
@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    ("labels", "told"), [("", "Permission denied"), ('"dev.cannery.needs" = "executable-tmp"', "ran")]
)
def test_files_in_tmp_can_be_run_where_the_image_s_label_asks_for_it(tmp_path: Path, labels: str, told: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[tool.cannery]\nname = "unpacker"\nlabels = {{ {labels} }}\n')
    (tmp_path / "main.py").write_text(
        "import os, shutil, sys\n"
        "shutil.copy(os.path.realpath(sys.executable), '/tmp/program')\n"
        "os.execve('/tmp/program', ['python', '-c', 'print(\"ran\")'], {**os.environ, 'PYTHONHOME': sys.prefix})\n"
    )
    done = cannery("run", cwd=tmp_path)
    assert told in done.stdout + done.stderr
