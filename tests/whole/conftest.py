"""The image of the sample, built once, and the engines that take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.built_image import BuiltImage, build
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine_commands import Engine


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of the images that are built once for many tests."""
    return tmp_path_factory.getbasetemp() / "shared-cache"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Iterator[BuiltImage]:
    """The image of the sample at the root of the repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANNERY_CACHE", str(shared_cache))
        yield build(ROOT, tmp_path_factory.mktemp("sample") / "sample.tar")


@pytest.fixture(scope="session")
def loaded_in_docker(docker: Engine, sample: BuiltImage) -> Engine:
    """Docker with the sample's image."""
    docker("load", "--input", str(sample.archive))
    return docker


@pytest.fixture(scope="session")
def loaded_in_podman(podman: Engine, sample: BuiltImage) -> Engine:
    """Podman with the sample's image."""
    podman("load", "--input", str(sample.archive))
    return podman
