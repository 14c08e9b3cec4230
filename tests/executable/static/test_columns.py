"""Executables are rearranged for packing, and put back by the launcher's own code."""

from __future__ import annotations

import opcode
import os
import shutil
import subprocess
import sys
import sysconfig
from marshal import loads
from pathlib import Path
from types import CodeType

import pytest

from cannery.executable.static.libraries import LinkedLibraries
from cannery.executable.static.link import LAUNCHER
from cannery.executable.static.packing import Rearranged, code_in, rearranged
from cannery.python.line_table import with_few_lines
from cannery.python.marshal import Field, UnknownFormatError, joined, tokens_of, with_few_references
from tests.support.elf_files import compile_c, on_disk, read

pytestmark = pytest.mark.once

_CACHES: list[int] = list(vars(opcode)["_inline_cache_entries"])
_PUT_BACK = """
#include <stdio.h>
#include "packed.h"
#include "columns.h"
static uint8_t target[ROOM];
int main(void) {
    if (fread(target + REST, 1, sizeof target - REST, stdin) != sizeof target - REST) return 1;
    put_modules(target);
    put_rest(target);
    return fwrite(target, 1, UNPACKED, stdout) != UNPACKED;
}
"""
_ODD = b"".join(
    (
        b"x = ", repr((*range(300), 1.5, 2j, 1 << 200, -(1 << 70), "a\0b", "\udc80", "é" * 300, b"\0\1", ...)).encode(),
        b"\nif x in {1, 2, 'a'}: pass\nasync def y(a, /, b, *c, d=1, **e): return [f async for f in a]\n",
    )
)  # fmt: skip
_NO_MODULE = b"\x00\x01 nothing that marshal wrote \xe8\xff\xff\xff\xff"


def put_back(executable: Rearranged, folder: Path) -> bytes:
    (folder / "packed.h").write_text(executable.header(), encoding="utf-8")
    (folder / "main.c").write_text(_PUT_BACK, encoding="utf-8")
    shutil.copy(LAUNCHER / "columns.h", folder)
    command = ["gcc", "-O1", "-fsanitize=undefined", "-fno-sanitize-recover", "main.c", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return subprocess.run(
        [folder / "main"], input=b"".join(executable.parts), check=True, capture_output=True, timeout=60
    ).stdout


def compiled(source: bytes, name: str, *, columns: bool) -> bytes:
    code = "import marshal, sys; b = sys.stdin.buffer; o = sys.stdout.buffer; c = compile(b.read(), *sys.argv[1:])"
    code += "; o.write(marshal.dumps(c))"
    options = [] if columns else ["-X", "no_debug_ranges"]
    command = [sys.executable, *options, "-W", "ignore", "-c", code, name, "exec"]
    return subprocess.run(command, input=source, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def modules() -> dict[str, bytes]:
    """Modules of the standard library, one with columns, one with odd values, and something that is no module."""
    library = Path(sysconfig.get_path("stdlib"))
    names = ["argparse", "ast", "asyncio/base_events", "datetime", "decimal", "enum", "typing", "opcode", "this"]
    found = {name: compiled((library / f"{name}.py").read_bytes(), name, columns=False) for name in names}
    return {
        **found,
        "columns": compiled((library / "textwrap.py").read_bytes(), "columns", columns=True),
        "odd": compiled(_ODD, "odd", columns=False),
        "empty": compiled(b"", "empty", columns=False),
        "no module": _NO_MODULE,
    }


def program_with(modules: dict[str, bytes]) -> bytes:
    """A program with modules in it, as a linker might have put them there."""
    return Path(os.path.realpath(shutil.which("sh") or sys.executable)).read_bytes() + b"".join(modules.values()) + b"x"


def pieces_of(program: bytes) -> list[tuple[int, int]]:
    """Offsets and sizes of what may be machine code: a part of ``program``, and another."""
    size = Path(os.path.realpath(shutil.which("sh") or sys.executable)).stat().st_size
    assert len(program) > size
    return [(0, size // 2), (size // 2 + 5, 1000)]


@pytest.mark.slow
def test_an_executable_is_put_back_as_it_was(modules: dict[str, bytes], tmp_path: Path) -> None:
    program = program_with(modules)
    executable = rearranged(program, list(modules.values()), pieces_of(program), _CACHES, "linux/amd64")
    whys = {name: executable.stayed[position] for position, name in enumerate(modules) if position in executable.stayed}
    assert "of its line tables have columns" in whys["columns"]
    assert whys["no module"] == "its bytecode is of no known form: an object of the kind 0x00"
    assert b"".join(executable.parts)[: len(program)] != program
    assert put_back(executable, tmp_path) == program


def test_slices_lie_in_columns_as_all_else(tmp_path: Path) -> None:
    one, two, seen = b"i\1\0\0\0", b"\xe9\2\0\0\0", b"r\0\0\0\0"
    module = b")\3:" + one + two + b"N:NNN:" + seen + b"z\2ab" + seen  # as Python 3.14 writes x[1:2], x[:] …
    program = program_with({"m": module})
    executable = rearranged(program, [module], pieces_of(program), _CACHES, "linux/amd64")
    assert not executable.stayed
    assert put_back(executable, tmp_path) == program


@pytest.mark.slow
def test_the_code_of_libraries_is_found_and_rearranged_too(tmp_path: Path) -> None:
    calls = "int f(int x);" + "".join(f"int g{n}(int x) {{ return f(x) + {n}; }}" for n in range(50))
    library = on_disk(compile_c(f"{calls} int f(int x) {{ return x; }}", tmp_path / "x.so", "-shared", "-fPIC", "-O1"))
    module = compiled(b"x = 1", "m", columns=False)
    program = program_with({"m": module}) + read(library)
    own, *others = code_in(program, LinkedLibraries({"/x.so": library, "/the same.so": library}))
    assert len(others) == len(set(others)) > 0  # what is undone twice isn't what it was
    assert all(start > program.index(read(library)) for start, _ in others)
    executable = rearranged(program, [module], [own, *others], _CACHES, "linux/amd64")
    ((start, size), *_) = others
    place = start - executable.modules[0] - executable.modules[1]  # the rest begins behind the modules
    assert executable.parts[0][place : place + size] != program[start : start + size]
    assert put_back(executable, tmp_path) == program


@pytest.mark.slow
def test_few_lines_and_what_branches_go_to_pack_better(modules: dict[str, bytes], tmp_path: Path) -> None:
    import lzma  # noqa: PLC0415

    few = {
        name: joined(with_few_lines(with_few_references(tokens_of(data)))) if data != _NO_MODULE else data
        for name, data in modules.items()
    }
    program = program_with(few)
    executable = rearranged(program, list(few.values()), pieces_of(program), _CACHES, "linux/amd64")
    assert {list(few)[position] for position in executable.stayed} == {"columns", "no module"}
    sizes = [len(lzma.compress(data)) for data in (b"".join(executable.parts), program, program_with(modules))]
    assert sizes == sorted(sizes)
    assert put_back(executable, tmp_path) == program


def test_fewer_entries_tell_the_same_lines(modules: dict[str, bytes]) -> None:
    for name, data in modules.items():
        if data == _NO_MODULE:
            continue
        merged = joined(with_few_lines(tokens_of(data)))
        assert len(merged) < len(data) or name in {"columns", "empty"}
        for before, after in zip(_codes(loads(data)), _codes(loads(merged)), strict=True):  # noqa: S302
            assert _lines(before) == _lines(after)
            assert before.co_code == after.co_code


def test_what_is_not_referred_to_is_not_set_apart(modules: dict[str, bytes]) -> None:
    for data in modules.values():
        if data == _NO_MODULE:
            continue
        fewer = joined(with_few_references(tokens_of(data)))
        assert len(fewer) == len(data)
        assert loads(fewer) == loads(data)  # noqa: S302
        tokens = [token for token in tokens_of(fewer) if token.field is not Field.FIRST_LINE]
        places = {token.content for token in tokens if token.kind == ord("r")}
        assert sum(token.kind >> 7 for token in tokens) == len(places)


def _codes(code: CodeType) -> list[CodeType]:
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return [code, *(each for some in inner for each in _codes(some))]


def _lines(code: CodeType) -> list[int | None]:
    return [line for start, end, line in code.co_lines() for _ in range(start, end, 2)]


_BROKEN = [b"", b"s", b"(\xff\xff\xff\x7f", b"s\xff\xff\xff\xffx", b"?", b"NN", b"s\xfe\xff\xff\xff"]


@pytest.mark.parametrize("data", _BROKEN)
def test_what_is_no_bytecode_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownFormatError):
        tokens_of(data)


def test_a_cache_that_is_not_empty_leaves_the_module_as_it_is(tmp_path: Path) -> None:
    code = bytearray(compiled(b"print(x)", "m", columns=False))
    call = code.index(bytes((opcode.opmap["PRECALL"], 1)))
    code[call + 2] = 7
    program = program_with({"m": bytes(code)})
    executable = rearranged(program, [bytes(code)], pieces_of(program), _CACHES, "linux/amd64")
    assert put_back(executable, tmp_path) == program
    assert executable.stayed == {0: "its bytecode is of no known form: an inline cache that isn't empty"}
