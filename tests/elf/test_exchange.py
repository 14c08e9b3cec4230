"""The symbols that a shared library has for others and asks of them, counted by either hash table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.elf.exchange import exchanged_symbols
from cannery.elf.headers import ElfError
from cannery.image.content import Inline
from tests.support.elf_files import PROGRAM, compile_c, on_disk, read

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

_SOURCE = """
extern int optional(int) __attribute__((weak));
int asked(int);
static int hidden(int x) { return x; }
int twice(int x) { return optional ? optional(x) : asked(x) + hidden(x); }
int half(int x) { return x / 2; }
"""
_OWN = {"twice", "half"}


@pytest.mark.parametrize("style", ["sysv", "gnu", "both"])
def test_what_a_library_has_and_what_it_asks_for(style: str, tmp_path: Path) -> None:
    path = compile_c(_SOURCE, tmp_path / "x.so", "-shared", "-fPIC", "-nostdlib", f"-Wl,--hash-style={style}")
    found = exchanged_symbols(on_disk(path))
    assert found.defined == _OWN
    assert found.asked == {"asked": False, "optional": True}
    assert found.elf.needed == ()


@pytest.mark.parametrize("style", ["sysv", "gnu"])
def test_a_library_that_only_asks(style: str, tmp_path: Path) -> None:
    source = "int asked(void); __attribute__((constructor)) static void f(void) { asked(); }"
    path = compile_c(source, tmp_path / "x.so", "-shared", "-fPIC", "-nostdlib", f"-Wl,--hash-style={style}")
    assert exchanged_symbols(on_disk(path)).asked == {"asked": False}


def test_what_is_none_or_ends_too_soon_is_refused(tmp_path: Path) -> None:
    static = compile_c(PROGRAM, tmp_path / "static", "-static")
    whole = read(on_disk(compile_c(_SOURCE, tmp_path / "x.so", "-shared", "-fPIC")))
    for data in (static.read_bytes(), whole[:200], whole[:600], whole[: len(whole) // 2]):
        with pytest.raises(ElfError):
            exchanged_symbols(Inline(data))
