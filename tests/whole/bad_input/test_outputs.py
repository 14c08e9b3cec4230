"""Outputs that lead to something else than a file that cannery made: that stays as it is."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from tests.support.command import assert_refused, cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project({"main.py": "print('hello')\n"})


def test_a_source_of_the_project_is_not_replaced(project: Path) -> None:
    told = assert_refused(cannery("image", "--output", "main.py", cwd=project), 6)
    assert told == (
        f"cannot write {project}/main.py\n  a file is there that cannery did not make\n"
        "Next: remove it, or name another file\n"
    )
    assert (project / "main.py").read_text() == "print('hello')\n"


def test_a_link_is_not_replaced_and_nothing_behind_it(project: Path) -> None:
    (project / "notes").write_text("mine")
    (project / "image.tar").symlink_to("notes")
    assert "it is a symbolic link" in assert_refused(cannery("image", "--output", "image.tar", cwd=project), 6)
    assert (project / "image.tar").is_symlink()
    assert (project / "notes").read_text() == "mine"


def test_a_pipe_is_not_replaced(project: Path) -> None:
    os.mkfifo(project / "image.tar")
    assert "it is a pipe" in assert_refused(cannery("image", "--output", "image.tar", cwd=project), 6)
    assert stat.S_ISFIFO((project / "image.tar").stat().st_mode)


def test_a_stream_is_no_place_for_an_image(project: Path) -> None:
    assert "an image is written to a file" in assert_refused(cannery("image", "--output", "-", cwd=project), 2)


def test_an_empty_file_and_an_earlier_archive_are_replaced(project: Path) -> None:
    (project / "image.tar").touch()
    for text in ("print(1)\n", "print(2)\n"):
        (project / "main.py").write_text(text)
        assert cannery("image", "--output", "image.tar", cwd=project).code == 0
    assert (project / "image.tar").stat().st_size > 10**6
