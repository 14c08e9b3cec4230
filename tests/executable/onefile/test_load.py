"""The API among the examples as one executable, under load: every worker answers, and all end when told to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.executable.onefile.conftest import freeze
from tests.support.built_image import build
from tests.support.ports import free_port
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.engine_commands import EngineCommand

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("own_cache")]

REQUESTS, WORKERS = 3000, 4
COMPILED = pytest.mark.parametrize("settings", ["", "compile = true\n"], ids=["bytecode", "compiled"])


def example(folder: Path, settings: str) -> Path:
    project = shutil.copytree(ROOT / "examples" / "random_api", folder / "random_api")
    with (project / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(settings)  # its last table is [tool.cannery]
    return project


@contextmanager
def served(*command: str, **environ: str) -> Iterator[int]:
    """The port that the service listens to; it must end by itself when told to."""
    port = free_port()
    arguments = ["--host=127.0.0.1", f"--port={port}", f"--workers={WORKERS}"]
    with subprocess.Popen([*command, *arguments], env={**os.environ, **environ}, stderr=subprocess.PIPE) as process:
        try:
            while process.poll() is None and not listens(port):
                time.sleep(0.05)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 0, said
    assert "SIGKILL" not in said
    assert not listens(port)
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if f"--port={port}" in words_of(path)]


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def words_of(cmdline: Path) -> list[str]:
    """The words of a process's command; none of one that is gone."""
    try:
        return cmdline.read_text().split("\0")
    except OSError:
        return []


def asked(port: int) -> tuple[Counter[int], Counter[int]]:
    """How often each status was answered to so many requests, and which workers answered of as many more."""

    def ask(path: str) -> tuple[int, dict[str, int]]:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    paths = [path for number in range(REQUESTS // 2) for path in (f"/number?lower={number}&upper={number}", "/health")]
    with ThreadPoolExecutor(2 * WORKERS) as pool:
        answers = list(pool.map(ask, paths))
    numbers = [answer["number"] for _, answer in answers[::2]]
    assert numbers == list(range(REQUESTS // 2))  # each request has its own answer
    return Counter(status for status, _ in answers), Counter(answer["worker"] for _, answer in answers[1::2])


@COMPILED
def test_a_static_file_answers_on_the_bare_machine(settings: str, tmp_path: Path) -> None:
    program = freeze(example(tmp_path, settings)).path
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with served(str(program), TMPDIR=str(temporary)) as port:
        statuses, workers = asked(port)
        own = sorted(path.name.partition(".")[0] for path in temporary.glob("*/_internal/random_api/*.so"))
    assert statuses == {200: REQUESTS}
    assert len(workers) == WORKERS
    assert own == (["__init__", "api", "options", "server"] if settings else [])
    assert not list(temporary.iterdir()), "it left something behind"


def test_an_image_answers_in_docker(docker: EngineCommand, tmp_path: Path) -> None:
    project = example(tmp_path, "")
    image = build(project, tmp_path / "image.tar", "--recipe=onefile", "--engine=none")
    docker("load", "--input", str(image.archive))
    hardened = ("--rm", "--read-only", "--cap-drop=all", "--network=host", "--tmpfs=/tmp:exec", "--user=65535")
    with served(*docker.command, "run", *hardened, image.reference) as port:
        statuses, workers = asked(port)
    assert statuses == {200: REQUESTS}
    assert len(workers) == WORKERS
