"""What lies around a static executable in its image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.image.rootfs import Root
from cannery.imports.model import Reach
from cannery.project.config import load
from cannery.recipes.static import system_of

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

NOTHING = Reach({}, (), {}, {}, (), {})


@pytest.fixture
def zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only file of the machine's time zone database."""
    path = tmp_path / "usr" / "share" / "zoneinfo" / "UTC"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"TZif before")
    monkeypatch.setattr("cannery.recipes.static.MACHINE", Root(tmp_path))
    return path


def test_an_upgraded_zone_database_makes_another_system(
    zone: Path, make_project: MakeProject, workspace: Workspace
) -> None:
    app = load(make_project({"main.py": "", "pyproject.toml": "[tool.cannery]\ntimezones = true\n"}))
    before = system_of(app, NOTHING, workspace)
    assert system_of(app, NOTHING, workspace).key == before.key
    zone.write_bytes(b"TZif of a later release")
    assert system_of(app, NOTHING, workspace).key != before.key
