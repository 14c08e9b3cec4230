"""The files for other tools that a page has ready: their commands are run with what each tool gives them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from docs.making.page import blocks
from tests.support.awkward_registry import AwkwardRegistry, serving
from tests.support.judges import judged
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

_PAGE = ROOT / "docs/howto/development-tools.md"
_PIECES = {block.argument: block.text for block in blocks(_PAGE.read_text(encoding="utf-8")) if block.kind == "file"}
_PROJECT = {
    "services/api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n',
    "services/api/main.py": 'print("hello")\n',
}


@pytest.fixture
def folder(make_project: MakeProject) -> Path:
    return make_project(_PROJECT)


@pytest.fixture
def registry() -> Iterator[AwkwardRegistry]:
    with serving(AwkwardRegistry()) as running:
        yield running


def _run(command: str, folder: Path, **variables: str) -> None:
    """Run a command as these tools do: by a shell."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CANNERY_ENGINE": "none", **variables}
    subprocess.run(["sh", "-c", command], cwd=folder, env=environment, check=True)


@pytest.fixture
def skaffold() -> dict[str, Any]:
    return dict(yaml.safe_load(_PIECES["skaffold.yaml"])["build"]["artifacts"][0])


def test_skaffold_pushes(folder: Path, registry: AwkwardRegistry, skaffold: dict[str, Any]) -> None:
    image = f"{registry.address}/team/api:v1-dirty"
    given = {"IMAGE": image, "PUSH_IMAGE": "true", "PLATFORMS": "", "BUILD_CONTEXT": skaffold["context"]}
    _run(skaffold["custom"]["buildCommand"], folder, **given)
    assert registry.is_whole("team/api", "v1-dirty")


def test_skaffold_builds_for_a_cluster_on_this_machine(folder: Path, skaffold: dict[str, Any]) -> None:
    given = {"IMAGE": "localhost:5000/team/api:v1", "PUSH_IMAGE": "false", "BUILD_CONTEXT": skaffold["context"]}
    _run(skaffold["custom"]["buildCommand"], folder, **given)
    archive = folder / "services/api/dist/api.tar"
    assert b"localhost:5000/team/api:v1" in archive.read_bytes()


def test_tilt_pushes_under_the_name_that_it_asks_for(folder: Path, registry: AwkwardRegistry) -> None:
    calls: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}

    def function(name: str) -> Any:
        return lambda *given, **named: calls.update({name: (given, named)})

    exec(_PIECES["Tiltfile"], {name: function(name) for name in ("custom_build", "k8s_yaml")})  # noqa: S102  # Starlark
    (_, command), named = calls["custom_build"]
    assert named["skips_local_docker"] is True
    _run(command, folder, EXPECTED_REF=f"{registry.address}/team/api:tilt-build-1")
    assert registry.is_whole("team/api", "tilt-build-1")


def test_compose_takes_its_file(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(_PIECES["compose.yaml"])
    (service,) = yaml.safe_load(judged("docker-compose", "--file", str(path), "config"))["services"].values()
    assert (service["image"], service["read_only"], service["pull_policy"]) == ("api:latest", True, "never")
