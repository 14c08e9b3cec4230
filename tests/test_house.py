"""The rooms of the package are those that its README names, and each file lies in one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cannery

pytestmark = pytest.mark.once

PACKAGE = Path(cannery.__file__).parent
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def test_the_readme_names_every_room_and_no_other() -> None:
    table = README.partition("## The floors")[0]
    named = re.findall(r"^\| `(\w+)` \| [A-Z].*\. \|$", table, re.MULTILINE)
    assert sorted(named) == sorted(ROOMS)


def test_only_the_rooms_and_five_files_lie_at_the_root() -> None:
    found = {path.name for path in PACKAGE.iterdir()} - {"__pycache__"}
    files = {"README.md", "__init__.py", "__main__.py", "errors.py", "sessions.py", "py.typed"}
    assert found == files | ROOMS


def test_the_readme_has_the_floors_of_the_import_contract() -> None:
    pyproject = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    contract = re.search(r'containers = \["cannery"\]\nlayers = \[\n(.*?)\]', pyproject, re.DOTALL)
    assert contract is not None
    floors = [re.findall(r"\w+", line) for line in contract[1].splitlines()]
    picture = re.search(r"```\n( +__main__.*?)```", README, re.DOTALL)
    assert picture is not None
    rooms = [re.sub(r" {4}(what|the) .*", "", line) for line in picture[1].splitlines()]
    assert [re.findall(r"[a-z_]+", line) for line in rooms] == floors


def test_nothing_imports_what_runs_elsewhere() -> None:
    elsewhere = re.compile(r"^ *(from|import) cannery\.[\w.]*\b(workers|payload|launcher)\b", re.MULTILINE)
    assert [path for path in PACKAGE.rglob("*.py") if elsewhere.search(path.read_text(encoding="utf-8"))] == []
