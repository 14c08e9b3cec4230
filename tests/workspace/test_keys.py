"""What is remembered is known by the code that made it: a change of that code, and of no other, makes it anew."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import grimp
import pytest

import cannery
from cannery.workspace.keys import CodeBase, code_key, key_of, package_file

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

PACKAGE = Path(cannery.__file__).parent
REMEMBERS = re.compile(r"\.(?:recall|remember)\(|cache\.folder\(|unaltered_folder\(|\b(?:LazyTree|Transform)\(")
FILES = {
    "small/__init__.py": "",
    "small/maker.py": """
        from typing import TYPE_CHECKING

        from small.tools import (
            cut,
            join,  # both
        )

        if TYPE_CHECKING:
            from small.types import Wood

        def make():
            from small.shop import glue as sticky
            return package_file("plans/chair.txt"), package_file("plans/tables")
    """,
    "small/tools.py": "from small import steel\n",
    "small/steel.py": "",
    "small/types.py": "",
    "small/other.py": "",
    "small/shop/__init__.py": "",
    "small/shop/glue.py": "",
    "small/plans/chair.txt": "four legs",
    "small/plans/bed.txt": "",
    "small/plans/tables/round.txt": "one leg",
}


@pytest.fixture
def small(make_project: MakeProject) -> Path:
    return make_project(FILES) / "small"


def test_what_a_module_imports_and_names_takes_part(small: Path) -> None:
    assert CodeBase(small).files("small.maker") == {
        *("maker.py", "tools.py", "steel.py", "shop/glue.py"),
        *("plans/chair.txt", "plans/tables/round.txt"),
    }


def test_a_change_of_what_takes_part_makes_another_key_and_no_other_change_does(small: Path) -> None:
    part = CodeBase(small).files("small.maker")
    before = CodeBase(small).key("small.maker")
    for path in sorted(each for each in small.rglob("*") if each.is_file()):
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}\n# changed", encoding="utf-8")
        changed = CodeBase(small).key("small.maker") != before
        assert changed == (path.relative_to(small).as_posix() in part), path
        path.write_text(text, encoding="utf-8")


def test_the_same_code_in_another_folder_has_the_same_key(tmp_path: Path) -> None:
    copy = shutil.copytree(PACKAGE, tmp_path / "cannery", ignore=shutil.ignore_patterns("__pycache__"))
    assert CodeBase(copy).key("cannery.trees.runtime") == code_key("cannery.trees.runtime")


def test_imports_are_those_that_an_import_graph_has() -> None:
    graph = grimp.build_graph("cannery", exclude_type_checking_imports=True, cache_dir=None)
    code = CodeBase(PACKAGE)
    for path in sorted(PACKAGE.rglob("[!_]*.py")):
        module = ".".join(("cannery", *path.relative_to(PACKAGE).with_suffix("").parts))
        wanted = {module, *graph.find_upstream_modules(module)}
        found = {path for path in code.files(module) if path.endswith(".py") and not _runs_elsewhere(path)}
        assert found == {_path(each) for each in wanted} - {
            path for path in map(_path, wanted) if _runs_elsewhere(path)
        }


def test_no_module_imports_by_the_face_that_a_room_has_for_others() -> None:
    """What a room's ``__init__`` hands out when it's asked for is no import that the text of the code shows."""
    faces = [path.parent for path in PACKAGE.rglob("__init__.py") if "def __getattr__" in path.read_text("utf-8")]
    assert faces
    for face in faces:
        inside = {path.stem for path in face.iterdir()}
        imported = re.compile(
            rf"^ *from cannery\.{face.relative_to(PACKAGE).as_posix().replace('/', '.')} import (\w+)", re.MULTILINE
        )
        for path in PACKAGE.rglob("[!_]*.py"):
            assert set(imported.findall(path.read_text("utf-8"))) <= inside, path


def test_every_module_that_keeps_something_keeps_it_under_its_code() -> None:
    makers = [path for path in PACKAGE.rglob("*.py") if REMEMBERS.search(path.read_text(encoding="utf-8"))]
    without = {
        path.relative_to(PACKAGE).as_posix()
        for path in makers
        if "code_key(__name__)" not in path.read_text(encoding="utf-8")
    }
    given = {"image/tree.py", "workspace/cache.py", "workspace/contents.py", "workspace/unaltered.py"}
    assert without == given  # whose keys are made of others, or given


def test_no_number_in_a_key_has_to_be_raised_by_hand() -> None:
    numbered = re.compile(r'^_VERSION\b.* = \d|key_of\(\s*"[^"]*", \d', re.MULTILINE)
    assert not [path for path in PACKAGE.rglob("*.py") if numbered.search(path.read_text(encoding="utf-8"))]


def test_names_of_files_lead_to_files() -> None:
    for path in PACKAGE.rglob("*.py"):
        for name in re.findall(r'package_file\(\s*"([^"]+)"', path.read_text(encoding="utf-8")):
            assert package_file(name).exists(), (path, name)


def test_equal_parts_have_one_key() -> None:
    assert key_of("a", {"x": 1, "y": (2,)}) == key_of("a", {"y": [2], "x": 1})
    assert key_of("a", 1) != key_of("a", "1")


@pytest.mark.slow
def test_a_build_by_changed_code_makes_what_that_code_makes_and_nothing_else(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project({"main.py": "print(1)\n", "requirements.txt": "six==1.17.0\n"})
    code = shutil.copytree(PACKAGE, tmp_path / "code" / "cannery", ignore=shutil.ignore_patterns("__pycache__"))
    assert _packed(code, project) == {"runtime", "dependencies", "app", "sbom"}
    assert _packed(code, project) == set()
    for changed, packed in {
        "trees/transforms/strip.py": {"runtime"},  # which is always stripped
        "elf/closure.py": {"runtime"},
        "trees/workers/compile_bytecode.py": {"runtime", "dependencies", "app"},
        "recipes/dockerfile/render.py": set(),
        "containers/engine/sdk.py": set(),
    }.items():
        with (code / changed).open("a", encoding="utf-8") as stream:
            stream.write("\n# changed\n")
        assert _packed(code, project) == packed, changed


def _packed(code: Path, project: Path) -> set[str]:
    """The layers that a build by a copy of cannery packs, with a cache that no other test has filled."""
    command = [sys.executable, "-P", "-m", "cannery", "image", "--json"]
    env = {**os.environ, "PYTHONPATH": str(code.parent), "CANNERY_CACHE": str(code.parent / "cache")}
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=True)
    return {layer["name"] for layer in json.loads(done.stdout)["layers"] if layer["packed"]}


def _path(module: str) -> str:
    stem = module.removeprefix("cannery").removeprefix(".").replace(".", "/")
    return f"{stem}.py" if stem and (PACKAGE / f"{stem}.py").is_file() else f"{stem}/__init__.py".removeprefix("/")


def _runs_elsewhere(path: str) -> bool:
    return not {"workers", "payload", "launcher"}.isdisjoint(Path(path).parts)
