"""Compilers: the machine's own, and Zig for what that can't do."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from cannery.app import CythonSettings
from cannery.interpreter import describe
from cannery.model import File, Inline, Tree
from cannery.trees.cython import cython
from cannery.trees.toolchain import find_toolchain
from tests.contents import contents

if TYPE_CHECKING:
    from cannery.workspace import Workspace

MODULE = "import math\ndef area(radius): return math.pi * radius ** 2\n"


def compiled(workspace: Workspace, python: Path, target: str | None = None) -> tuple[str, bytes]:
    """The path and the bytes of a module compiled for ``python``."""
    interpreter = describe(python, workspace)
    transform = cython(interpreter, workspace, CythonSettings(target=target), import_roots=("/app",), foreign=True)
    ((path, content),) = contents(transform(Tree({"/app/x.py": File(Inline(MODULE.encode()))}))).items()
    return path, content


def glibc_versions(content: bytes) -> set[str]:
    section = ELFFile(io.BytesIO(content)).get_section_by_name(".gnu.version_r")
    assert isinstance(section, GNUVerNeedSection)
    return {version.name for _, versions in section.iter_versions() for version in versions}


def test_the_compiler_that_cc_names_is_taken(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "gcc -m64")
    assert find_toolchain(workspace).command[:2] == ("gcc", "-m64")


def test_another_compiler_has_another_key(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {find_toolchain(workspace).key, find_toolchain(workspace, "x86_64-linux-gnu").key}
    monkeypatch.setenv("CC", "gcc -m64")
    assert len({*keys, find_toolchain(workspace).key}) == 3


@pytest.mark.once
def test_zig_takes_over_where_no_compiler_is_installed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(find_toolchain(workspace).command[0]).name == "zig"
    path, content = compiled(workspace, Path(sys.executable))
    (tmp_path / Path(path).name).write_bytes(content)
    check = "import x, math; assert x.area(2) == math.pi * 4"
    workspace.run([sys.executable, "-c", check], cwd=tmp_path)


@pytest.mark.once
@pytest.mark.parametrize("python", [sys.executable, "/usr/bin/python3"])  # the system's has headers in two places
def test_zig_builds_for_another_platform_and_an_older_c_library(workspace: Workspace, python: str) -> None:
    if not Path(python).is_file() or not list(Path("/usr/include").glob("python3*")):
        pytest.skip(f"{python} is not here, or has no headers")
    path, content = compiled(workspace, Path(python), "aarch64-linux-gnu.2.17")
    assert path.endswith("-aarch64-linux-gnu.so")
    assert ELFFile(io.BytesIO(content))["e_machine"] == "EM_AARCH64"
    assert glibc_versions(content) == {"GLIBC_2.17"}
