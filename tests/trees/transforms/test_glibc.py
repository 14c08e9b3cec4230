"""Extension modules that need a newer glibc than the base has are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import RuntimeTreeError
from cannery.image.content import Inline
from cannery.image.tree import Decision, File, Tree
from cannery.trees.transforms.glibc import no_newer_than
from tests.support.elf_files import compile_c, on_disk

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = '#include <stdio.h>\nint f(void) { return puts(""); }'


@pytest.fixture
def module(tmp_path: Path) -> File:
    return File(on_disk(compile_c(SOURCE, tmp_path / "x.so", "-shared", "-fPIC")))


def test_a_module_for_an_older_glibc_passes(module: File) -> None:
    tree = Tree({"/x.so": module})
    assert tree | no_newer_than((2, 40), "x86_64-linux-gnu", "debian") == tree


def test_a_module_for_a_newer_glibc_names_the_target_that_would_do(module: File) -> None:
    with pytest.raises(RuntimeTreeError, match=r"/x\.so needs glibc 2\.\d+, and the base debian has 2\.1") as raised:
        _ = Tree({"/x.so": module}) | no_newer_than((2, 1), "x86_64-linux-gnu", "debian")
    assert 'target = "x86_64-linux-gnu.2.1"' in raised.value.step


def test_what_is_no_module_isn_t_looked_at(module: File) -> None:
    tree = Tree({"/x.bin": module, "/y.so": File(Inline(b"INPUT(x)"))})
    assert tree | no_newer_than((2, 1), "x86_64-linux-gnu", "debian") == tree


def test_a_damaged_module_is_told() -> None:
    broken = Inline(b"\x7fELF")
    after = Tree({"/x.so": File(broken)}) | no_newer_than((2, 40), "x86_64-linux-gnu", "debian")
    why = "it is malformed: 16 bytes at 0 are not in a file of 4"
    assert after.decisions == (Decision("/x.so", "find out which glibc it needs", why, 4),)
