"""The image of the sample, built once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.built_image import BuiltImage, build
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Iterator[BuiltImage]:
    """The image of the sample at the root of the repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANNERY_CACHE", str(shared_cache))
        yield build(ROOT, tmp_path_factory.mktemp("sample") / "sample.tar")
