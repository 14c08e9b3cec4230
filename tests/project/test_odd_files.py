"""What is called like a file of the project and is none is told, and neither waited for nor passed over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.project.config import load
from cannery.project.tables import tables_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

ODD: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a link to nothing (nowhere)": lambda path: path.symlink_to("nowhere"),
    "a link to nothing (uv.lock)": lambda path: path.symlink_to("uv.lock"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize(("told", "make"), ODD.items())
def test_a_lock_that_is_no_file_is_refused(
    make_project: MakeProject, told: str, make: Callable[[Path], object]
) -> None:
    folder = make_project({"main.py": ""})
    make(folder / "uv.lock")
    with pytest.raises(ProjectError) as refused:
        load(folder)
    assert refused.value.what == f"uv.lock is {told}, and no file"


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements-dev.txt", "Procfile", "Dockerfile", "pylock.x.toml"])
def test_a_pipe_is_not_waited_for(make_project: MakeProject, name: str) -> None:
    folder = make_project({"main.py": ""})
    os.mkfifo(folder / name)
    assert tables_of(folder / name) == {}
    with pytest.raises(ProjectError, match="is a pipe, and no file"):
        load(folder)


def test_other_names_and_links_to_files_are_let_be(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "", "real.txt": "", "Dockerfile": ""})
    os.mkfifo(folder / "pipe")
    (folder / "gone").symlink_to("nowhere")
    (folder / "requirements").mkdir()
    (folder / "requirements.txt").symlink_to("real.txt")
    load(folder)
