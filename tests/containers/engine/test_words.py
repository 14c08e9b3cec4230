"""Words of engines by which cannery knows what happened: each test fails where an engine says it otherwise."""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from docker.errors import APIError

from cannery.containers.engine import discovery
from cannery.containers.engine.discovery import answering, find_engine
from cannery.containers.engine.engine import ContainerRequest
from cannery.errors import MachineError
from cannery.image.media.archive import Archive
from tests.containers.engine.conftest import cannery, started
from tests.support.engine_services import running_dockerd, running_podman
from tests.support.layers import file, image, layer

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cannery.containers.engine.engine import Engine
    from cannery.image.image import Image
    from tests.support.engine_services import Service

    Running = Callable[..., AbstractContextManager[Service]]

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.fixture
def timeless(tmp_path: Path) -> Image:
    """An image whose history has a step without a time, which is optional (OCI image-spec v1.1, config.md)."""
    made = image([layer(tmp_path, file("a"))])
    platform = {"architecture": made.platform.architecture, "os": made.platform.os}
    return replace(made, config={**platform, **made.config, "history": [{"created_by": "somebody"}]})


def test_an_engine_greets_as_what_it_describes_itself_as(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    greeted = answering(service.kind)
    monkeypatch.setattr(discovery, "ping", lambda _: {})
    assert answering(service.kind) == greeted
    assert str(greeted) == f"{service.kind.capitalize()} {service.client.version()['Version']}"


def test_podman_panics_over_a_step_without_a_time(
    podman_service: Service, timeless: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in podman_service.environment.items():
        monkeypatch.setenv(name, value)
    engine = find_engine("podman")
    assert engine is not None
    Archive(tmp_path / "image.tar").write(timeless, ("timeless:latest",))
    engine.load(timeless, tmp_path / "image.tar", ("timeless:latest",))
    with pytest.raises(APIError, match="nil pointer"):
        podman_service.client.history("timeless:latest")
    assert not engine.built_here("timeless:latest")
    (found,) = (stored for stored in engine.images() if any("timeless" in name for name in stored.references))
    assert engine.usage([found]).layers.keys() == {found.id}


def test_a_program_that_the_image_lacks_leads_to_a_look_at_the_image(engine: Engine, project: Path) -> None:
    cannery("image", cwd=project)
    request = ContainerRequest("run", "tinned:latest", entrypoint=("nowhere",))
    assert engine.run(request) == 127  # the engine's init says why
    with pytest.raises(MachineError) as refused:
        engine.start(engine.create(request))
    assert "nowhere" in refused.value.evidence
    assert refused.value.step == "look at the image: cannery explore"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces")
@pytest.mark.parametrize("running", [running_dockerd, running_podman])
def test_a_port_that_is_taken_leads_to_what_listens_there(
    project: Path, monkeypatch: pytest.MonkeyPatch, running: Running
) -> None:
    (ports,) = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["cannery"]["ports"]
    published = ports.partition(":")[0]
    with running(apart=True) as service:
        for name, value in {**service.environment, "CANNERY_ENGINE": service.kind}.items():
            monkeypatch.setenv(name, value)
        with started(project, "catch") as process:
            done = cannery("run", "--", "show", cwd=project)
            process.terminate()
            process.communicate()
    assert done.returncode == 6
    assert published in done.stderr
    assert "Next: stop what listens on that port" in done.stderr
