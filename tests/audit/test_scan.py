"""Facts about files by their content."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

from cannery.audit.scan import scan
from cannery.workspace.keys import package_file
from tests.support.elf_files import compile_c

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("source", ["main.c", "stub.c"])  # of executables that aren't packed, and of those that are
def test_a_static_executable_is_known_by_a_name_in_its_launcher(source: str, tmp_path: Path) -> None:
    launcher = package_file("executable/static/launcher") / source
    (name,) = re.findall(r'(?:#define PROGRAM |setenv\()"(\w+)"', launcher.read_text(encoding="utf-8"))
    program = compile_c("int main(void) { return 0; }", tmp_path / "program", "-s").read_bytes() + f"{name}\0".encode()
    elf = scan("/app/program", io.BytesIO(program), len(program)).elf
    assert elf is not None
    assert elf.carries == "cannery's archive of modules"
