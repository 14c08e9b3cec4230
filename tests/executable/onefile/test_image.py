"""The recipe onefile: an image with one program, which runs as hard as a container can be."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.executable.onefile.conftest import cannery
from tests.support.built_image import BuiltImage, build

if TYPE_CHECKING:
    from pathlib import Path

    from tests.executable.onefile.conftest import Frozen
    from tests.support.engine_commands import EngineCommand

pytestmark = pytest.mark.once


@pytest.fixture(scope="session")
def image(project: Path, static: Frozen) -> BuiltImage:  # noqa: ARG001  # made before, so that it's only packed
    return build(project, project / "dist" / "image.tar", "--recipe=onefile")


def test_it_holds_one_program_and_the_small_files_of_a_system(image: BuiltImage, static: Frozen) -> None:
    system, program, app, _ = image.report["layers"]
    assert (program["files"], program["size"]) == (1, static.report["size"])
    assert system["files"] == 6  # /etc/services and /etc/protocols among them, as sockets are in reach
    assert app["files"] == 1  # the resource, for what opens it where the program starts
    config = image.report["config"]
    assert config["Entrypoint"] == ["/usr/local/bin/shower"]
    assert config["User"] == "65535:65535"
    assert config["Labels"]["dev.cannery.needs"] == "executable-tmp"
    assert not [variable for variable in config["Env"] if variable.startswith("PYTHON")]


def test_it_runs_where_there_is_no_engine_and_no_c_library(project: Path, image: BuiltImage) -> None:  # noqa: ARG001
    command = [sys.executable, "-m", "cannery", "run", "--recipe=onefile", "--", "a", "b c"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["arguments"], shown["user"], shown["doubled"]) == (["a", "b c"], 65535, [2, 4, 6])
    assert (shown["beside"], shown["library"]) == ("package data\n", "libz.so.1")


def test_docker_runs_it_read_only_with_a_tmp_that_can_be_executed(docker: EngineCommand, image: BuiltImage) -> None:
    docker("load", "--input", str(image.archive))
    done = docker.run("--tmpfs=/tmp:exec", image.reference)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["user"] == 65535
    refused = docker.run("--tmpfs=/tmp:noexec", image.reference)
    assert refused.returncode == 3
    assert "Failed to execv() /tmp/staticx-" in refused.stderr


def test_the_audit_says_that_it_takes_a_tmp_that_can_be_executed(project: Path, image: BuiltImage) -> None:
    done = cannery("audit", "--json", "--fail-on=never", f"--image={image.archive}", cwd=project)
    assert "CAN606" in done.stdout, done.stderr
    assert "CAN105" not in done.stdout  # nothing that helps a debugger


def test_an_unchanged_image_takes_less_than_a_second(project: Path, image: BuiltImage) -> None:
    again = cannery("image", "--json", "--recipe=onefile", f"--output={image.archive}", cwd=project)
    report = json.loads(again.stdout)
    assert report["digest"] == image.report["digest"]
    assert report["seconds"] < 1
