"""An image that Docker built from a recipe's Dockerfile behaves as the one that cannery built by that recipe."""

from __future__ import annotations

import json
import re
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.recipes.dockerfile.conftest import built

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine_services import Service
    from tests.support.registry import Base

pytestmark = pytest.mark.once


_FOR_PYTHON = re.compile(r"\.cpython-\d+\w*-[\w-]+(?=\.so$)")  # scripts' modules do without it


@dataclass(frozen=True)
class Both:
    """The two images of one recipe, in one engine."""

    docker: Service
    by_docker: str
    by_cannery: str
    folder: str = "/app"  # where the app lies

    def config(self, image: str) -> dict[str, Any]:
        return dict(self.docker.client.inspect_image(image)["Config"])

    def says(self, image: str, *arguments: str) -> Any:
        client = self.docker.client
        config = client.create_host_config(
            read_only=True, tmpfs={"/tmp": "exec"}, cap_drop=["ALL"], network_mode="none"
        )
        container = client.create_container(image, command=list(arguments) or None, host_config=config)["Id"]
        try:
            client.start(container)
            code = client.wait(container)["StatusCode"]
            said = client.logs(container).decode()
        finally:
            client.remove_container(container, force=True)
        assert code == 0, said
        return json.loads(said)

    def files(self, image: str, tmp_path: Path) -> set[str]:
        """The files of the app."""
        container = self.docker.client.create_container(image)["Id"]
        try:
            stream, _ = self.docker.client.get_archive(container, self.folder)
            path = tmp_path / "app.tar"
            path.write_bytes(b"".join(stream))
        finally:
            self.docker.client.remove_container(container)
        with tarfile.open(path) as archive:
            return {_FOR_PYTHON.sub("", member.name) for member in archive if not member.isdir()}


@pytest.fixture(scope="module", params=["slim", "scratch", "cython", "onefile"])
def both(request: pytest.FixtureRequest, dockerd: Service, shower: Path, slim_base: Base, full_base: Base) -> Both:
    del full_base  # it has to be in the registry, where the Dockerfile looks for a compiler
    recipe = request.param
    with pytest.MonkeyPatch.context() as patch:
        for name, value in dockerd.environment.items():
            patch.setenv(name, value)
        flags = [f"--recipe={recipe}", f"--base={slim_base.reference}", "--engine=docker"]
        by_docker = built(*flags, "--builder=docker", "--tag=by-docker", cwd=shower)
        flags += [f"--output=dist/{recipe}.tar", "--tag=by-cannery"]
        by_cannery = built(*flags, cwd=shower)
    return Both(
        dockerd, by_docker["id"], by_cannery["references"][0], "/usr/local/bin" if recipe == "onefile" else "/app"
    )


def test_it_prints_the_same(both: Both) -> None:
    expected = both.says(both.by_cannery)
    assert expected["arguments"] == ["by", "default"]
    assert expected["user"] == [65535, 65535]
    assert both.says(both.by_docker) == expected


def test_arguments_take_the_place_of_the_default_ones(both: Both) -> None:
    for image in (both.by_docker, both.by_cannery):
        assert both.says(image, "other ones")["arguments"] == ["other ones"]


def test_it_starts_the_same_way(both: Both) -> None:
    by_docker, by_cannery = both.config(both.by_docker), both.config(both.by_cannery)
    for key in ("Entrypoint", "Cmd", "User", "WorkingDir", "ExposedPorts", "Volumes"):
        assert by_docker.get(key) == by_cannery.get(key), key
    assert sorted(by_docker["Env"]) == sorted(by_cannery["Env"])


def test_it_holds_the_same_files_of_the_app(both: Both, tmp_path: Path) -> None:
    expected = both.files(both.by_cannery, tmp_path)
    assert {"app/data/table.txt", "bin/shower"} & expected
    assert both.files(both.by_docker, tmp_path) == expected
