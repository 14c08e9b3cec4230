"""The members of a workspace that changed since a commit."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.project.changes import changed_members
from cannery.project.uv_sources import workspace_members
from cannery.workspace.process import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

FILES = {
    "pyproject.toml": '[tool.uv.workspace]\nmembers = ["a", "b", "libs/*"]\n',
    "a/pyproject.toml": '[project]\nname = "a"\ndependencies = ["Lib_One>=1", "six"]\n',
    "b/pyproject.toml": '[project]\nname = "b"\n[dependency-groups]\ndev = ["lib-two"]\n',
    "libs/one/pyproject.toml": '[project]\nname = "lib.one"\n[project.optional-dependencies]\nx = ["lib-two[y]; a"]\n',
    "libs/two/pyproject.toml": '[project]\nname = "lib-two"\n',
    "libs/two/two.py": "",
    "uv.lock": "",
}


@pytest.fixture
def folder(make_project: MakeProject) -> Path:
    folder = make_project(FILES)
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in ("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "first"):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/main.py", {"a"}),
        ("b/pyproject.toml", {"b"}),
        ("libs/one/x.py", {"a", "libs/one"}),
        ("libs/two/two.py", {"a", "b", "libs/one", "libs/two"}),
        ("uv.lock", {"a", "b", "libs/one", "libs/two"}),
    ],
)
def test_they_are_those_with_a_change_and_those_that_require_them(folder: Path, path: str, expected: set[str]) -> None:
    members = workspace_members(folder)
    assert changed_members(members, folder, "HEAD", run) == frozenset()
    (folder / path).write_text(f"{FILES.get(path, '')}\n# changed\n")
    found = changed_members(members, folder, "HEAD", run)
    assert {each.relative_to(folder).as_posix() for each in found} == expected


@pytest.mark.parametrize("revision", ["nothing", "--output=x"])
def test_a_commit_that_is_none_is_told(folder: Path, revision: str) -> None:
    with pytest.raises(ConfigurationError, match="Git can't tell what changed since"):
        changed_members(workspace_members(folder), folder, revision, run)
    assert not (folder / "x").exists()


def test_the_root_may_be_a_member_of_its_own(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(f'{FILES["pyproject.toml"]}[project]\nname = "all"\n')
    assert [each.name for each in workspace_members(folder)][:3] == [folder.name, "a", "b"]
    assert workspace_members(folder / "a") == workspace_members(folder)
