"""Compilers: the machine's own, and Zig for what that can't do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cannery.elf.versions import needed_glibc
from cannery.image.content import Inline
from cannery.image.tree import File, Tree
from cannery.project.settings import CythonSettings
from cannery.python.abi import abi_of
from cannery.python.interpreter import describe
from cannery.trees.cython.extensions import compiler_for
from cannery.trees.cython.toolchain import find_toolchain
from cannery.trees.cython.transform import cython
from cannery.workspace.cache import Cache
from cannery.workspace.process import run
from cannery.workspace.workspace import Workspace
from tests.support.elf_files import readelf
from tests.support.tree_contents import contents

pytestmark = pytest.mark.slow

MODULE = "import math\ndef area(radius): return math.pi * radius ** 2\n"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace that the tests of this module share, and with it what Zig builds for itself."""
    return Workspace(Cache(tmp_path_factory.mktemp("zig") / "cache"), run)


def compiled(workspace: Workspace, python: Path, target: str | None = None) -> tuple[str, bytes]:
    """The path and the bytes of a module compiled for ``python``."""
    abi = abi_of(describe(python, workspace), workspace)
    transform = cython(compiler_for(abi, CythonSettings(target=target), workspace), workspace, import_roots=("/app",))
    ((path, content),) = contents(transform(Tree({"/app/x.py": File(Inline(MODULE.encode()))}))).items()
    return path, content


def test_the_compiler_that_cc_names_is_taken(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "gcc -m64")
    assert find_toolchain(workspace).command[:2] == ("gcc", "-m64")


def test_another_compiler_has_another_key(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {find_toolchain(workspace).key, find_toolchain(workspace, "x86_64-linux-gnu").key}
    monkeypatch.setenv("CC", "gcc -m64")
    assert len({*keys, find_toolchain(workspace).key}) == 3


@pytest.mark.once
def test_zig_takes_over_where_no_compiler_is_installed(
    shared: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(find_toolchain(shared).command[0]).name == "zig"
    path, content = compiled(shared, Path(sys.executable))
    (tmp_path / Path(path).name).write_bytes(content)
    check = "import x, math; assert x.area(2) == math.pi * 4"
    shared.run([sys.executable, "-c", check], cwd=tmp_path)


@pytest.mark.once
@pytest.mark.parametrize("python", [sys.executable, "/usr/bin/python3"])  # the system's has headers in two places
def test_zig_builds_for_another_platform_and_an_older_c_library(shared: Workspace, python: str) -> None:
    if not Path(python).is_file() or not list(Path("/usr/include").glob("python3*")):
        pytest.skip(f"{python} is not here, or has no headers")
    path, content = compiled(shared, Path(python), "aarch64-linux-gnu.2.17")
    assert path.endswith("-aarch64-linux-gnu.so")
    assert "AArch64" in readelf(content, "--file-header")
    assert needed_glibc(Inline(content)) == (2, 17)
