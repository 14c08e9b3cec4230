"""The house is in order: the rooms are those that its README names, each file lies in one, and tests mirror them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cannery
from noxfile import QUICK
from tests.support.scheduling import ENGINES, group_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

PACKAGE = Path(cannery.__file__).parent
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
TESTS = Path(__file__).parent
BESIDE = {"sessions", "support", "whole", "whole/bad_input"}  # no room's
ELSEWHERE = frozenset({"workers", "payload", "launcher"})
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


def packages(top: Path, folder: Path | None = None) -> set[str]:
    """The packages below ``top``, as paths from there."""
    found = {path.parent for path in (folder or top).glob("*/__init__.py")}
    names = {path.relative_to(top).as_posix() for path in found}
    return names.union(*(packages(top, path) for path in found))


def shared_among_tests() -> Iterator[tuple[Path, str]]:
    """Each module of the tests, with the full name of everything that it imports from others of them."""
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("tests."):
                yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


def test_no_test_imports_from_a_module_of_tests() -> None:
    """What tests share lies in ``tests/support``, or in a ``conftest`` above them."""
    shared = list(shared_among_tests())
    assert shared
    assert not [(str(path), name) for path, name in shared if ".test_" in name]


def test_a_conftest_is_for_the_tests_beside_it_and_below() -> None:
    folders = [(path, name.split(".conftest")[0]) for path, name in shared_among_tests() if ".conftest." in name]
    assert folders
    assert not [
        (str(path), name) for path, name in folders if not path.is_relative_to(PACKAGE.parent / name.replace(".", "/"))
    ]


def test_every_room_has_tests_of_its_own() -> None:
    assert not ROOMS - packages(TESTS)


def test_tests_lie_in_the_folder_of_what_they_test() -> None:
    assert packages(TESTS) - packages(PACKAGE) == BESIDE


def test_modules_whose_tests_use_one_engine_run_in_one_process() -> None:
    """Where several processes run the tests."""
    for path in TESTS.rglob("test_*.py"):
        arguments = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.arg)]
        types = {ast.unparse(each.annotation) for each in arguments if each.annotation}
        module = path.relative_to(PACKAGE.parent).as_posix()
        assert {ENGINES[name] for name in ENGINES.keys() & types} <= {group_of(module)}, module


def test_every_class_has_a_name_of_its_own() -> None:
    """An underscore makes no other name; what is shipped or runs elsewhere is read by itself."""
    names: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        if ELSEWHERE.isdisjoint(path.parts):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.ClassDef):
                    names.setdefault(node.name.lstrip("_"), []).append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert not {name: places for name, places in names.items() if len(places) > 1}


@pytest.mark.slow
def test_the_quick_check_has_tests_of_every_room() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", *QUICK]
    listed = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^tests/(\w+)/", listed, re.MULTILINE)) >= ROOMS
