"""An engine's own image as a base: ``docker-daemon:NAME``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ImageError
from cannery.project.config import load
from cannery.trees.base.image import base_image
from tests.support.layers import file, layer
from tests.support.layouts import docker_archive

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace
    from tests.support.engine_services import Service

pytestmark = pytest.mark.once


def test_an_engine_s_image_is_fetched_once_and_again_when_the_name_means_another(
    service: Service, project: Path, tmp_path: Path, workspace: Workspace
) -> None:
    app = load(project, {"base": "docker-daemon:tins:1"})
    with pytest.raises(ImageError, match="there is no image tins:1 in"):
        base_image(app, workspace)
    digests = set()
    for content in (b"one", b"two"):
        made = layer(tmp_path, file("tin", content))
        archive = docker_archive(tmp_path / "saved.tar", [made], "tins:1")
        service.client.load_image(archive.read_bytes())
        image = base_image(app, workspace)
        assert (image.root.path / "tin").read_bytes() == content
        assert base_image(app, workspace).base == image.base
        digests.add(image.base.digest)
    assert len(digests) == 2
    assert not list((workspace.cache.root / "tmp").glob("*"))
    service.client.remove_image("tins:1", force=True)
