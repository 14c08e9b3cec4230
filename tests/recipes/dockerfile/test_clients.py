"""Which program builds a Dockerfile, what is passed on to it, and what is said where none can."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.recipes.dockerfile.conftest import cannery

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

_IMAGE = f"sha256:{64 * 'a'}"

# Stands for a docker command of some version: notes what it's told, and writes the image's ID where that is asked for.
_DOCKER = """\
#!/bin/sh
echo "$*" >>{calls}
echo "PIP_INDEX_URL=$PIP_INDEX_URL DOCKER_BUILDKIT=$DOCKER_BUILDKIT" >>{calls}
case "$*" in
  --version) echo "Docker version {version}, build 1" ;;
  "buildx version") exit {buildx} ;;
  "context "*) exit 1 ;;
  *inspect*) echo 12345 ;;
  *build*) for word; do case $word in --iidfile=*) echo {image} >"${{word#--iidfile=}}" ;; esac; done ;;
esac
"""


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project({"main.py": "print()\n"})


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where docker commands of the tests note what they're told; there are no others on the path."""
    monkeypatch.setenv("CANNERY_ENGINE", "docker")
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path / "calls"


def _docker(folder: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, buildx: bool = False) -> None:
    """Put a docker command last on the path."""
    folder.mkdir()
    text = _DOCKER.format(calls=shlex.quote(str(calls)), version=version, buildx=0 if buildx else 1, image=_IMAGE)
    (folder / "docker").write_text(text)
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{folder}")


def _build(project: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return cannery("image", "--recipe=slim", "--builder=docker", "--json", *flags, cwd=project)


def test_without_a_docker_command_it_is_said_what_to_do(project: Path, calls: Path) -> None:
    done = _build(project)
    assert (done.returncode, calls.exists()) == (7, False)
    assert "error: there is no docker command" in done.stderr
    assert "Next: install Docker, or build with no engine" in done.stderr


def test_a_new_docker_command_without_buildx_can_not_build(
    project: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path / "new", calls, monkeypatch, "28.2.2")
    done = _build(project)
    assert done.returncode == 7
    assert "error: the docker command has no BuildKit" in done.stderr
    assert "docker-buildx-plugin" in done.stderr


def test_an_older_docker_command_behind_it_can(
    project: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path / "new", calls, monkeypatch, "28.2.2")
    _docker(tmp_path / "old", calls, monkeypatch, "20.10.24+dfsg1")
    done = _build(project)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["id"] == _IMAGE
    build = calls.read_text().partition("\nbuild ")[2].splitlines()
    assert f"--tag={project.name}:latest" in build[0]
    assert build[1].endswith("DOCKER_BUILDKIT=1")


def test_buildx_is_passed_the_builder_the_platform_and_the_caches(
    project: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path / "old", calls, monkeypatch, "20.10.24")
    _docker(tmp_path / "new", calls, monkeypatch, "28.2.2", buildx=True)
    farm = ["--docker-builder=farm", "--platform=linux/arm64"]
    done = _build(project, *farm, "--cache-from=type=registry,ref=a", "--cache-to=type=inline")
    assert done.returncode == 0, done.stderr
    (build,) = [line for line in calls.read_text().splitlines() if line.startswith("buildx build")]
    words = ["--load", "--builder=farm", "--platform=linux/arm64", "--cache-from=type=registry,ref=a"]
    assert {*words, "--cache-to=type=inline"} <= set(build.split())


def test_what_only_buildx_can_is_refused_without_it(
    project: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path / "old", calls, monkeypatch, "20.10.24")
    done = _build(project, "--docker-builder=farm")
    assert done.returncode == 7
    assert "error: --docker-builder needs buildx" in done.stderr
    assert "\nbuild " not in calls.read_text()


def test_the_package_index_goes_along_and_its_password_is_not_on_the_command_line(
    project: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path / "old", calls, monkeypatch, "20.10.24")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://me:secret@index.example/simple")
    assert _build(project).returncode == 0
    command, environment, *_ = calls.read_text().partition("\nbuild ")[2].splitlines()
    assert "--build-arg=PIP_INDEX_URL" in command.split()
    assert "secret" not in command
    assert environment.startswith("PIP_INDEX_URL=https://me:secret@index.example/simple ")


def test_it_needs_an_engine(project: Path) -> None:
    done = _build(project, "--engine=none")
    assert done.returncode == 2
    assert "error: --builder docker needs an engine" in done.stderr
