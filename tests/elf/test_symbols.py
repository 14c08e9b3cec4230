"""The dynamic symbols of a file: those it has for others, and those it asks of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cannery.elf.constants import DT_STRSZ, DT_STRTAB, DT_SYMTAB, STB_GNU_UNIQUE, STT_FUNC, STT_OBJECT
from cannery.elf.headers import MalformedElfError
from cannery.elf.symbols import Symbols
from tests.support.elf_files import compile_c, compile_cpp, loaded, readelf

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.elf.rewrite import LoadedElf

pytestmark = pytest.mark.once

SOURCE = """
int asked(int); extern int value;
int given(int x) { return asked(x) + value; }
int data = 7;
static int hidden(int x) { return x; }
int (*keep)(int) = hidden;
"""
SHARED = ("-shared", "-fPIC", "-O1")


@pytest.fixture
def program(tmp_path: Path) -> LoadedElf:
    return loaded(compile_c(SOURCE, tmp_path / "lib.so", *SHARED))


def symbols_of(program: LoadedElf) -> Symbols:
    found = Symbols.read(program)
    assert found is not None
    return found


def test_names_are_given_or_asked_for(program: LoadedElf) -> None:
    symbols = symbols_of(program)
    assert {b"given", b"data", b"keep"} <= set(symbols.defined())
    assert {b"asked", b"value"} <= set(symbols.asked_for())
    assert not {b"asked", b"value", b"hidden"} & set(symbols.defined())
    assert not {b"given", b"data", b"hidden"} & set(symbols.asked_for())


def test_rows_are_as_readelf_reads_them(program: LoadedElf) -> None:
    symbols = symbols_of(program)
    lines = re.findall(
        r"^ +(\d+): (\w+) +(\d+) (\w+) .* (\S+)$", readelf(bytes(program.data), "--dyn-syms"), re.MULTILINE
    )
    assert len(lines) > 5
    for number, value, size, kind, name in lines:
        row = symbols.row(int(number))
        assert row is not None
        assert (row.value, row.size) == (int(value, 16), int(size))
        assert symbols.name(row).decode() == name.partition("@")[0]
        assert kind != "FUNC" or row.type == STT_FUNC
        assert kind != "OBJECT" or row.type == STT_OBJECT
    assert symbols.row(10**6) is None


def test_a_function_at_an_address_of_the_program_s_own_is_one_that_it_has(tmp_path: Path) -> None:
    """A program at a fixed address that compares functions of libraries has addresses for them."""
    library = compile_c("int far(void) { return 1; }", tmp_path / "libfar.so", *SHARED)
    source = "int far(void); int (*volatile f)(void) = far; int main(void) { return f == far ? 0 : 1; }"
    program = compile_c(source, tmp_path / "program", "-no-pie", "-fno-pie", str(library))
    symbols = symbols_of(loaded(program))
    assert b"far" in set(symbols.defined()) & set(symbols.asked_for())


def test_the_binding_is_known(tmp_path: Path) -> None:
    source = "template <class T> struct S { static int x; }; template <class T> int S<T>::x = 3;"
    source += "int *f() { return &S<int>::x; }"
    symbols = symbols_of(loaded(compile_cpp(source, tmp_path / "lib.so", *SHARED)))
    bindings = {symbols.name(row): row.binding for number in range(30) if (row := symbols.row(number))}
    assert bindings[b"_ZN1SIiE1xE"] == STB_GNU_UNIQUE


@pytest.mark.parametrize("tag", [DT_SYMTAB, DT_STRTAB, DT_STRSZ])
def test_without_a_table_there_are_none(program: LoadedElf, tag: int) -> None:
    program.set_tags({tag: None})
    assert Symbols.read(program) is None


def test_names_before_the_symbols_tell_not_where_these_end(program: LoadedElf) -> None:
    program.set_tags({DT_STRTAB: (program.tag(DT_SYMTAB) or 0) - 8})
    assert Symbols.read(program) is None


def test_tables_outside_the_file_are_refused(program: LoadedElf) -> None:
    program.set_tags({DT_STRSZ: 10**9})
    with pytest.raises(MalformedElfError, match="no segment has all of"):
        Symbols.read(program)


def test_what_lies_between_symbols_and_names_adds_names_and_takes_none(program: LoadedElf) -> None:
    symbols = symbols_of(program)
    padded = Symbols(symbols.table + bytes([1]) * 60, symbols.names)
    assert set(symbols.defined()) <= set(padded.defined())
    assert set(symbols.asked_for()) <= set(padded.asked_for())
