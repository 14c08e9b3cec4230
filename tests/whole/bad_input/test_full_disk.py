"""A disk that is full: a message, nothing half-written, and a build that is right once there is room."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.command import assert_refused, assert_whole

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.machine import Machine
    from tests.whole.bad_input.conftest import NewCache

pytestmark = pytest.mark.once

PROJECT = {"main.py": "import tin", "requirements.txt": "tin"}
ROOM = "100m"


def test_no_room_for_the_archive(machine: Machine, make_project: MakeProject, warm: Path) -> None:
    folder = make_project({"main.py": ""})
    (folder / "dist").mkdir()
    machine.small_disk(folder / "dist", "1m")
    settings = {"CANNERY_CACHE": str(warm)}
    message = assert_refused(machine.cannery("image", cwd=folder, **settings), 6)
    assert f"cannot write {folder}/dist/project.tar" in message
    assert "No space left on device" in message
    assert "Next: free some space there" in message
    assert not list(machine.path(folder / "dist").iterdir())
    machine.small_disk(folder / "dist", ROOM)
    assert machine.cannery("image", cwd=folder, **settings).code == 0
    assert_whole(machine.path(folder))


@pytest.mark.parametrize(
    ("room", "seeded", "where"),
    [
        (4096, True, ".record"),
        (400_000, True, "the requirements of requirements.txt can't be installed"),
        (5_000_000, False, "cannot compile the modules"),
        (5_000_000, True, "blob"),
    ],
    ids=["in a record", "while uv installs", "while modules are compiled", "in a layer"],
)
def test_no_room_in_the_cache(
    machine: Machine,
    make_project: MakeProject,
    new_cache: NewCache,
    tmp_path: Path,
    room: int,
    seeded: bool,
    where: str,
) -> None:
    folder, cache = make_project(PROJECT), tmp_path / "cache"
    cache.mkdir()
    machine.small_disk(cache, ROOM)
    if seeded:
        new_cache(machine.path(cache))
    machine.small_disk(cache, str(_used(machine.path(cache)) + room))
    settings = {"CANNERY_CACHE": str(cache), "UV_LINK_MODE": "copy"}
    message = assert_refused(machine.cannery("image", cwd=folder, **settings), 6)
    assert where in message
    assert "No space left on device" in message
    assert "Next: free some space there" in message
    assert not (folder / "dist").exists()
    assert_whole(folder, machine.path(cache))
    machine.small_disk(cache, ROOM)
    assert machine.cannery("image", cwd=folder, **settings).code == 0
    assert_whole(folder, machine.path(cache))


def _used(disk: Path) -> int:
    """How many bytes of a disk are taken."""
    status = os.statvfs(disk)
    return (status.f_blocks - status.f_bfree) * status.f_frsize
