"""Images whose app is compiled: no source and no bytecode of it, and they run as they did from source."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.built_image import build
from tests.support.compiled_project import PROJECT, SAID

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.engine_commands import EngineCommand

pytestmark = pytest.mark.slow


def test_the_app_layer_has_extension_modules_and_what_starts_the_script(
    make_project: MakeProject, tmp_path: Path
) -> None:
    image = build(make_project(PROJECT), tmp_path / "image.tar", "--compile")
    suffix = f".cpython-3{sys.version_info.minor}-x86_64-linux-gnu.so"
    assert image.files("app") == {
        f"/app/main.script{suffix}", "/app/main.pyc", f"/app/pkg/__init__{suffix}", f"/app/pkg/core{suffix}",
        "/app/pkg/data.txt", "/app/words/hello.txt",
    }  # fmt: skip


def test_it_runs_with_no_engine(make_project: MakeProject) -> None:
    command = [sys.executable, "-m", "cannery", "run", "--compile"]
    done = subprocess.run(command, cwd=make_project(PROJECT), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, SAID), done.stderr


@pytest.mark.once
def test_it_runs_in_docker(make_project: MakeProject, tmp_path: Path, docker: EngineCommand) -> None:
    image = build(make_project(PROJECT), tmp_path / "image.tar", "--compile", "--tag", "compiled")
    docker("load", "--input", str(image.archive))
    assert docker.run("--tmpfs=/tmp", image.reference).stdout == SAID


@pytest.mark.once
def test_libraries_that_extension_modules_need_come_along(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "cc -Wl,--no-as-needed -l:libanl.so.1")
    image = build(make_project({"main.py": "print('linked')\n"}), tmp_path / "image.tar", "--compile")
    assert [path for path in image.files("runtime") if path.endswith("/libanl.so.1")]


@pytest.mark.once
def test_a_change_of_the_app_leaves_the_runtime_as_it_is(make_project: MakeProject, tmp_path: Path) -> None:
    digests = []
    for number in range(2):
        files = {**PROJECT, "pkg/more.py": f"number = {number}\n"}
        report = build(make_project(files), tmp_path / f"{number}.tar", "--compile").report
        digests.append({layer["name"]: layer["digest"] for layer in report["layers"]})
    assert digests[0]["runtime"] == digests[1]["runtime"]
    assert digests[0]["app"] != digests[1]["app"]
