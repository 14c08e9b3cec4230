"""Where a project's modules are found: as ``import`` would, from the files alone."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.project.modules import find_module, import_roots

if TYPE_CHECKING:
    from tests.conftest import MakeProject

ROOTS = (PurePosixPath("src"), PurePosixPath())


def found(folder: Path, module: str, roots: tuple[PurePosixPath, ...] = ROOTS) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_module(folder, roots, module)]


@pytest.mark.parametrize(
    ("files", "module", "places"),
    [
        ({"src/a/__init__.py": "", "a.py": ""}, "a", ["src/a"]),
        ({"src/a.py": "", "a/__init__.py": ""}, "a", ["src/a.py"]),
        ({"src/a/__init__.py": "", "src/a.py": ""}, "a", ["src/a"]),
        ({"src/a/__init__.cpython-311-x86_64-linux-gnu.so": ""}, "a", ["src/a"]),
        ({"a.abi3.so": ""}, "a", ["a.abi3.so"]),
        ({"a.so": ""}, "a", ["a.so"]),
        ({"a.py": "", "a.cpython-311-x86_64-linux-gnu.so": ""}, "a", ["a.py"]),
        ({"src/a/__init__.py": "", "src/a/b.py": ""}, "a.b", ["src/a/b.py"]),
        ({"src/a/__init__.py": "", "a/b.py": ""}, "a.b", []),
        ({"src/a/x.py": "", "a/b/y.py": ""}, "a", ["src/a", "a"]),
        ({"src/a/x.py": "", "a/b/y.py": ""}, "a.b", ["a/b"]),
        ({"src/a/x.py": "", "a/__init__.py": ""}, "a", ["a"]),
        ({"a/data.json": ""}, "a", []),
        ({"a.py": ""}, "b", []),
        ({"a.py": ""}, "a/../a", []),
        ({"a.py": ""}, "", []),
    ],
)
def test_a_module_is_found_where_import_would(
    make_project: MakeProject, files: dict[str, str], module: str, places: list[str]
) -> None:
    assert found(make_project({"src/other.py": "", **files}), module) == places


def test_imports_start_in_src_where_that_holds_packages(make_project: MakeProject) -> None:
    assert import_roots(make_project({"src/a/__init__.py": ""}, "one")) == ROOTS
    assert import_roots(make_project({"src/space/a/__init__.py": ""}, "space")) == ROOTS
    assert import_roots(make_project({"src/main.c": ""}, "two")) == (PurePosixPath(),)
    assert import_roots(make_project({"src/__init__.py": "", "src/a/__init__.py": ""}, "three")) == (PurePosixPath(),)
