"""``cannery image`` and an engine: loaded once, under the ID that was computed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cannery.containers.engine.sdk import SdkEngine
from cannery.project import config
from cannery.recipes.image import make_image
from cannery.workspace.workspace import Workspace
from tests.containers.engine.conftest import cannery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cannery.image.image import Image
    from tests.conftest import MakeProject
    from tests.support.engine_services import Service

pytestmark = pytest.mark.once


def test_the_image_is_loaded_under_the_id_that_was_computed(service: Service, project: Path) -> None:
    for found in service.client.images("tinned"):
        service.client.remove_image(found["Id"], force=True)
    report = json.loads(cannery("image", "--json", "--tag=one", cwd=project).stdout)
    assert report["engine"]["state"] == "loaded"
    assert report["engine"]["name"].startswith(service.kind.capitalize())
    assert service.client.inspect_image("tinned:one")["Id"].endswith(report["id"].removeprefix("sha256:"))


def test_an_image_that_is_there_is_not_sent_again(service: Service, project: Path) -> None:
    cannery("image", "--tag=two", cwd=project)
    done = cannery("image", "--tag=two", cwd=project)
    assert f"engine   already in {service.kind.capitalize()}" in done.stdout
    assert "loading" not in done.stderr


def test_what_changed_is_sent_and_the_rest_is_found_there(
    service: Service, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    load = SdkEngine.load

    def noted(self: SdkEngine, image: Image, archive: Path, references: Sequence[str]) -> None:
        sent.append(archive.stat().st_size)
        load(self, image, archive, references)

    monkeypatch.setattr(SdkEngine, "load", noted)
    images = []
    for number in range(2):
        app = config.load(make_project({"main.py": f"print({number})\n"}, "changing"), {"tag": "changing"})
        made = make_image(app, Workspace.default())
        assert made.loaded is not None
        assert made.loaded.state == "loaded"
        images.append(service.client.inspect_image("changing:changing")["Id"])
    assert images[0] != images[1]
    assert images[1].endswith(made.built.image.id.hex)
    assert sent[0] == app.archive.stat().st_size
    assert sent[1] < 100_000 if service.kind == "docker" else sent[1] == sent[0]


def test_an_image_that_has_another_name_there_gets_this_one(service: Service, project: Path) -> None:
    cannery("image", "--tag=three", cwd=project)
    report = json.loads(cannery("image", "--json", "--tag=four", cwd=project).stdout)
    assert report["engine"]["state"] == "present"
    assert service.client.inspect_image("tinned:four")["Id"].endswith(report["id"].removeprefix("sha256:"))


def test_a_name_moves_to_the_image_of_now(service: Service, tmp_path: Path) -> None:
    for text in ("a = 1", "a = 2"):
        (tmp_path / "main.py").write_text(text)
        report = json.loads(cannery("image", "--json", cwd=tmp_path).stdout)
    found = service.client.inspect_image(report["references"][0])["Id"]
    assert found.endswith(report["id"].removeprefix("sha256:"))


def test_without_an_engine_nothing_is_asked_of_one(service: Service, project: Path) -> None:
    report = json.loads(cannery("image", "--json", "--engine=none", "--tag=never", cwd=project).stdout)
    assert report["engine"] is None
    assert not service.client.images("tinned:never")


def test_an_engine_without_its_client_is_named_with_what_adds_it(
    service: Service, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hidden = tmp_path / "sitecustomize.py"  # as if the extra weren't installed
    hidden.write_text("import sys; sys.modules['docker'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = cannery("image", "--tag=five", f"--engine={service.kind}", cwd=project)
    assert done.returncode == 7
    assert '[docker]"' in done.stderr
