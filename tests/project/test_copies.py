"""Copies of projects: what goes along, and what of them is taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.project.copies import copy_project, remove_sources

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_made_from_the_project_stays_behind_and_its_history_is_linked(
    make_project: MakeProject, tmp_path: Path
) -> None:
    own = {"pkg/x.py", ".coveragerc", "pkg/builder/y.py"}
    made = {"build/x", "dist/x", ".venv/x", "env/pyvenv.cfg", "pkg/__pycache__/x", "pkg.egg-info/x", ".git/HEAD"}
    copy_project(make_project(dict.fromkeys(own | made, "")), tmp_path / "copy")
    assert files(tmp_path / "copy") - {".git/HEAD"} == own
    assert (tmp_path / "copy" / ".git").is_symlink()


def test_a_work_tree_has_a_file_that_leads_to_its_history(make_project: MakeProject, tmp_path: Path) -> None:
    copy_project(make_project({"main.py": "print(1)", ".git": "gitdir: /elsewhere\n"}), tmp_path / "copy")
    assert (tmp_path / "copy" / ".git").read_text() == "gitdir: /elsewhere\n"


def test_sources_are_removed_where_they_lie_and_not_where_a_file_has_the_same_name(make_project: MakeProject) -> None:
    texts = {"pkg/__init__.py": "", "pkg/one.py": "one = 1\n", "pkg/made.py": "by the backend"}
    lying = {
        "lib/pkg/__init__.py": "",
        "lib/pkg/one.py": "one = 1\n",
        "tests/pkg/__init__.py": "",
        "pkg/one.py": "other\n",
    }
    folder = make_project(lying)
    assert remove_sources(folder, {name: text.encode() for name, text in texts.items()}) == folder / "lib"
    assert files(folder) == {"tests/pkg/__init__.py", "pkg/one.py"}


def test_sources_that_lie_nowhere_are_an_error(make_project: MakeProject) -> None:
    with pytest.raises(ProjectError, match=r"the source of pkg/one\.py lies nowhere"):
        remove_sources(make_project({"pkg/one.py": "changed\n"}), {"pkg/one.py": b"one = 1\n"})
