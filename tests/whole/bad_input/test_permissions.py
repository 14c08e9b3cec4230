"""Folders that can't be written or read by who builds: an ordinary user, whom no mode lets through."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cannery import __version__
from tests.support.command import assert_refused, assert_whole
from tests.support.machine import NOBODY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.machine import Machine
    from tests.whole.bad_input.conftest import NewCache

pytestmark = pytest.mark.once

USER = NOBODY if os.geteuid() == 0 else os.geteuid()
MINE = 0o755
NOT_MINE = 0o555


@pytest.fixture
def project(open_folder: Path) -> Path:
    """A project of somebody else's, but for its ``dist``."""
    folder = open_folder / "project"
    (folder / "dist").mkdir(parents=True)
    (folder / "main.py").write_text("print('hello')\n")
    os.chown(folder / "dist", USER, USER)
    return folder


@pytest.fixture
def cache(open_folder: Path, new_cache: NewCache) -> Path:
    """A cache of the user's own."""
    return new_cache(open_folder / "cache", owner=USER, layers=True)


@pytest.fixture
def user(machine: Machine) -> Machine:
    """The machine as an ordinary user sees it."""
    return machine.as_user(USER)


def settings(cache: Path) -> dict[str, str]:
    return {"CANNERY_CACHE": str(cache), "HOME": str(cache.parent)}


def test_the_project_of_another_user_is_built_into_a_folder_of_one_s_own(
    user: Machine, project: Path, cache: Path
) -> None:
    outcome = user.cannery("image", cwd=project, **settings(cache))
    assert outcome.code == 0, outcome.stderr
    assert (project / "dist" / "project.tar").stat().st_uid == USER
    assert_whole(project, cache)


def test_a_dist_that_cannot_be_written_is_named(user: Machine, project: Path, cache: Path) -> None:
    (project / "dist").chmod(NOT_MINE)
    message = assert_refused(user.cannery("image", cwd=project, **settings(cache)), 6)
    assert f"cannot write {project}/dist/project.tar\n  Permission denied" in message
    assert "Next: make it writable for you, or point elsewhere (--output" in message
    assert_whole(project, cache)


def test_a_project_where_no_dist_can_be_made_is_named(user: Machine, project: Path, cache: Path) -> None:
    (project / "dist").rmdir()
    message = assert_refused(user.cannery("image", cwd=project, **settings(cache)), 6)
    assert f"cannot write {project}/dist/project.tar\n  Permission denied: {project}/dist" in message


def test_the_output_may_lie_elsewhere(user: Machine, project: Path, cache: Path) -> None:
    (project / "dist").rmdir()
    output = cache / "elsewhere" / "image.tar"
    outcome = user.cannery("image", "--output", str(output), cwd=project, **settings(cache))
    assert outcome.code == 0, outcome.stderr
    assert output.is_file()


@pytest.mark.parametrize("mode", [NOT_MINE, 0o000], ids=["not written", "not even read"])
def test_a_cache_that_cannot_be_used_is_named(user: Machine, project: Path, cache: Path, mode: int) -> None:
    (cache / __version__).chmod(mode)
    message = assert_refused(user.cannery("image", cwd=project, **settings(cache)), 6)
    assert f"{cache}/{__version__}" in message
    assert "Permission denied" in message
    assert "for you" in message.splitlines()[-1]
    (cache / __version__).chmod(MINE)
    assert user.cannery("image", cwd=project, **settings(cache)).code == 0
    assert_whole(project, cache)


def test_a_cache_of_another_user_is_named(user: Machine, project: Path, cache: Path) -> None:
    if USER != NOBODY:
        pytest.skip("only root has another user's files")
    for path in (cache / __version__, *(cache / __version__).glob("*/")):
        os.chown(path, 0, 0)
        path.chmod(0o700)
    message = assert_refused(user.cannery("image", cwd=project, **settings(cache)), 6)
    assert "Permission denied" in message


@pytest.mark.parametrize("name", ["main.py", "pyproject.toml", "data", "data/table.csv"])
def test_a_file_of_the_project_that_cannot_be_read_is_named(
    user: Machine, project: Path, cache: Path, name: str
) -> None:
    (project / "data").mkdir()
    (project / "data" / "table.csv").write_text("1,2\n")
    (project / "pyproject.toml").write_text('[tool.cannery]\nresources = ["data"]\n')
    (project / name).chmod(0o000)
    outcome = user.cannery("image", cwd=project, **settings(cache))
    (project / name).chmod(MINE)
    message = assert_refused(outcome, 2 if name == "pyproject.toml" else 6)
    assert f"{project}/{name}" in message
    assert "Permission denied" in message


def test_a_home_folder_that_is_not_there_matters_only_where_nothing_else_is_named(
    user: Machine, project: Path, cache: Path
) -> None:
    homeless = {"HOME": "/nonexistent", "XDG_CACHE_HOME": None}
    message = assert_refused(user.cannery("image", cwd=project, CANNERY_CACHE=None, **homeless), 6)
    assert "/nonexistent/.cache/cannery" in message
    assert "CANNERY_CACHE" in message.splitlines()[-1]
    outcome = user.cannery("image", cwd=project, CANNERY_CACHE=str(cache), **homeless)
    assert outcome.code == 0, outcome.stderr


def test_a_user_whom_the_machine_does_not_know_is_told_what_to_set(machine: Machine, project: Path) -> None:
    if USER != NOBODY:
        pytest.skip("only root becomes another user")
    stranger = 54321
    nowhere = {"HOME": None, "XDG_CACHE_HOME": None}
    message = assert_refused(machine.as_user(stranger).cannery("image", cwd=project, CANNERY_CACHE=None, **nowhere), 6)
    assert "you have no home folder to keep the cache in" in message
    assert "Next: set HOME, or CANNERY_CACHE" in message
    assert not (project / "~").exists()


def test_a_read_only_project_is_built_into_another_folder(machine: Machine, open_folder: Path, warm: Path) -> None:
    folder = open_folder / "project"
    folder.mkdir()
    (folder / "main.py").write_text("print('hello')\n")
    machine.read_only(folder)
    message = assert_refused(machine.cannery("image", cwd=folder, CANNERY_CACHE=str(warm)), 6)
    assert "Read-only file system" in message
    assert "Next: make that file system writable, or point elsewhere (--output" in message
    output = open_folder / "image.tar"
    assert machine.cannery("image", "--output", str(output), cwd=folder, CANNERY_CACHE=str(warm)).code == 0
    assert output.is_file()


def test_a_cache_of_uv_s_that_cannot_be_written_is_named(user: Machine, project: Path, cache: Path) -> None:
    (project / "requirements.txt").write_text("tin\n")
    uv = {"UV_CACHE_DIR": "/nonexistent/uv"}
    message = assert_refused(user.cannery("image", cwd=project, **settings(cache), **uv), 6)
    assert "`/nonexistent/uv`" in message
    assert "UV_CACHE_DIR" in message.splitlines()[-1]
