"""The team's build farm: the real buildx builds on another engine, over TLS, with a registry as the cache."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.recipes.dockerfile.conftest import cannery
from tests.support.engine_services import running_dockerd
from tests.support.judges import judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.engine_services import Service
    from tests.support.registry import Base, Registry

pytestmark = pytest.mark.once


@pytest.fixture
def farm(dockerd: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Another engine, which buildx knows as ``farm``; it's asked over TLS."""
    plugins = tmp_path / "docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(judge("docker-buildx"))
    monkeypatch.setenv("DOCKER_CONFIG", str(plugins.parent))
    monkeypatch.setenv("CANNERY_ENGINE", "docker")
    with running_dockerd() as other:
        keys = ",".join(f"{name}={other.home}/{name}.pem" for name in ("ca", "cert", "key"))
        command = ["docker", "context", "create", "farm", f"--docker=host={other.tcp},{keys}"]
        subprocess.run(command, check=True, capture_output=True)
        for name, value in dockerd.environment.items():
            monkeypatch.setenv(name, value)
        yield other


def test_it_is_built_there_and_the_registry_is_the_cache(
    make_project: MakeProject, farm: Service, dockerd: Service, slim_base: Base, registry: Registry
) -> None:
    reference = f"{registry.address}/team/hello"
    settings = f'[tool.cannery]\nname = "{reference}"\nbuild-options = ["--network=host"]\n'
    folder = make_project({"main.py": 'print("hello")\n', "pyproject.toml": settings})
    flags = ["--recipe=slim", f"--base={slim_base.reference}", "--builder=docker"]
    built = cannery("image", *flags, "--docker-builder=farm", "--cache-to=type=inline", cwd=folder)
    assert built.returncode == 0, built.stderr
    assert f"Next: docker --context farm run --rm {reference}:latest" in built.stdout
    assert farm.client.inspect_image(f"{reference}:latest")["Config"]["User"] == "65535:65535"

    subprocess.run(["docker", "--context=farm", "push", f"{reference}:latest"], check=True, capture_output=True)
    again = cannery("image", *flags, f"--cache-from=type=registry,ref={reference}:latest", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "CACHED" in again.stderr
    assert dockerd.client.inspect_image(f"{reference}:latest")["Config"]["User"] == "65535:65535"
