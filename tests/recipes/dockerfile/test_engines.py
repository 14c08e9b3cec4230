"""Real builds by Docker and by Podman: how they end where all is well, and where it isn't."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.recipes.dockerfile.conftest import cannery

if TYPE_CHECKING:
    from tests.conftest import MakeProject
    from tests.support.engine_services import Service
    from tests.support.registry import Base, Registry

pytestmark = pytest.mark.once


@pytest.fixture
def in_docker(dockerd: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Docker, as the one that answers."""
    for name, value in {**dockerd.environment, "CANNERY_ENGINE": "docker"}.items():
        monkeypatch.setenv(name, value)
    return dockerd


def _images(service: Service) -> set[str]:
    """The IDs of all images; engines list those of equal age in any order."""
    return {str(image["Id"]) for image in service.client.images(all=True)}


def test_podman_builds_it_too(
    make_project: MakeProject, podman_service: Service, slim_base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**podman_service.environment, "CANNERY_ENGINE": "podman"}.items():
        monkeypatch.setenv(name, value)
    options = 'build-options = ["--network=host", "--tls-verify=false"]'
    folder = make_project({"main.py": 'print("hello")\n', "pyproject.toml": f"[tool.cannery]\n{options}\n"})
    flags = ["--recipe=slim", f"--base={slim_base.reference}", "--builder=docker", "--json"]
    done = cannery("image", *flags, cwd=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    config = podman_service.client.inspect_image(report["id"])["Config"]
    assert config["User"] == "65535:65535"
    assert config["Entrypoint"] == ["/usr/local/bin/python3.11", "/app/main.py"]


def test_a_base_that_is_not_there(make_project: MakeProject, in_docker: Service, registry: Registry) -> None:
    base = f"{registry.address}/library/python:3.11-none"
    before = _images(in_docker)
    done = cannery("image", "--recipe=slim", f"--base={base}", "--builder=docker", cwd=make_project({"main.py": ""}))
    assert done.returncode == 7
    assert f"{base}: not found" in done.stderr  # as BuildKit says it
    assert "error: docker can't build the image" in done.stderr
    assert "Traceback" not in done.stderr
    assert _images(in_docker) == before


def test_a_step_that_fails_is_shown_with_what_it_said(
    make_project: MakeProject, in_docker: Service, slim_base: Base
) -> None:
    folder = make_project({"main.py": "", "requirements.txt": f"iniconfig==2.0.0 --hash=sha256:{64 * '0'}\n"})
    (folder / "pyproject.toml").write_text('[tool.cannery]\nbuild-options = ["--network=host"]\n')
    before = _images(in_docker)
    done = cannery("image", "--recipe=slim", f"--base={slim_base.reference}", "--builder=docker", cwd=folder)
    assert done.returncode == 7
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr  # as pip says it
    assert "error: docker can't build the image" in done.stderr
    assert _images(in_docker) == before
