"""Copies of projects: what goes along, and how Git's own comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.project.copies import copy_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@pytest.mark.parametrize("git", [".git", ".git/HEAD"], ids=["work tree", "repository"])
def test_a_copy_has_what_the_repository_is(make_project: MakeProject, tmp_path: Path, git: str) -> None:
    project = make_project({"main.py": "print(1)", git: "gitdir: /elsewhere\n", "dist/old.tar": "", ".hidden/x": ""})
    copy_project(project, tmp_path / "copy")
    assert {path.name for path in (tmp_path / "copy").iterdir()} == {"main.py", ".git"}
    assert (tmp_path / "copy" / git).read_text() == "gitdir: /elsewhere\n"
