from __future__ import annotations

import ctypes
import random
import struct
import subprocess
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from cannery.elf.strip import strip_elf
from cannery.image.content import Inline, OnDisk
from tests.support.elf_files import (
    LIBRARY,
    PROGRAM,
    PT_LOAD,
    compile_c,
    complaints,
    on_disk,
    read,
    section_rows,
    sections,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.image.content import Content

pytestmark = pytest.mark.once


def loaded(data: bytes) -> list[tuple[int, bytes]]:
    """What a loader maps of a 64-bit, little-endian file: offsets and bytes."""
    (table,) = struct.unpack_from("<Q", data, 32)
    (rows,) = struct.unpack_from("<H", data, 56)
    segments = (struct.unpack_from("<IIQQQQ", data, table + 56 * row) for row in range(rows))
    return [(offset, data[offset : offset + size]) for kind, _, offset, _, _, size in segments if kind == PT_LOAD]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_c(PROGRAM, tmp_path_factory.mktemp("program") / "program")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_c(LIBRARY, tmp_path_factory.mktemp("library") / "libtwice.so", "-shared", "-fPIC")


@pytest.mark.parametrize("flags", [(), ("-no-pie",), ("-static",), ("-static-pie",), ("-Wl,-z,separate-code",)])
def test_a_program_runs_as_before(tmp_path: Path, flags: tuple[str, ...]) -> None:
    original = compile_c(PROGRAM, tmp_path / "original", *flags)
    stripped = write(strip_elf(on_disk(original)).content, tmp_path / "stripped")
    assert stripped.stat().st_size < original.stat().st_size
    done = subprocess.run([str(stripped)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "hello\nfrom\nC\n")


def test_a_library_is_loaded_as_before(library: Path, tmp_path: Path) -> None:
    stripped = write(strip_elf(on_disk(library)).content, tmp_path / "libtwice.so")
    assert ctypes.CDLL(str(stripped)).twice(21) == 42


def test_a_library_can_be_linked_against_as_before(library: Path, tmp_path: Path) -> None:
    write(strip_elf(on_disk(library)).content, tmp_path / "libtwice.so")
    source = "int twice(int); int main(void) { return twice(4); }"
    user = compile_c(source, tmp_path / "user", f"-L{tmp_path}", "-ltwice", f"-Wl,-rpath,{tmp_path}")
    assert subprocess.run([str(user)], check=False).returncode == 8


def test_no_symbol_and_no_debugging_information_is_left(library: Path) -> None:
    assert b"helper_that_is_only_a_symbol" in library.read_bytes()
    data = read(strip_elf(on_disk(library)).content)
    assert b"helper_that_is_only_a_symbol" not in data
    assert not [name for name in sections(data) if name.startswith((".debug", ".symtab", ".strtab", ".comment"))]


def test_what_is_loaded_stays_where_it_is_byte_for_byte(program: Path) -> None:
    before, after = program.read_bytes(), read(strip_elf(on_disk(program)).content)
    (offset, head), *others = loaded(before)
    assert offset == 0
    assert loaded(after)[1:] == others
    assert loaded(after)[0][1][64:] == head[64:]  # all but the ELF header, which tells where the sections are


def test_the_loaded_sections_are_listed_as_before(program: Path) -> None:
    kept = [name for name in sections(program.read_bytes()) if not name.startswith((".debug", ".symtab", ".strtab"))]
    kept.remove(".comment")
    assert sections(read(strip_elf(on_disk(program)).content)) == kept


def test_readelf_has_nothing_to_complain_about(program: Path, library: Path, tmp_path: Path) -> None:
    for path in (program, library):
        assert complaints(write(strip_elf(on_disk(path)).content, tmp_path / "stripped")) == set()


def test_a_stripped_file_comes_back_as_it_is(program: Path, library: Path, tmp_path: Path) -> None:
    for path in (program, library):
        stripped = on_disk(write(strip_elf(on_disk(path)).content, tmp_path / "stripped"))
        assert strip_elf(stripped).content is stripped


def test_a_file_that_was_stripped_elsewhere_is_left_alone(library: Path, tmp_path: Path) -> None:
    subprocess.run(["strip", "-s", "-o", str(tmp_path / "gnu.so"), str(library)], check=True)
    content = on_disk(tmp_path / "gnu.so")
    assert ".comment" in sections(read(content))
    assert strip_elf(content).content is content


def test_strip_by_gnu_saves_no_more(library: Path, tmp_path: Path) -> None:
    subprocess.run(["strip", "-s", "-o", str(tmp_path / "gnu.so"), str(library)], check=True)
    assert strip_elf(on_disk(library)).content.size <= (tmp_path / "gnu.so").stat().st_size


def test_the_name_of_a_debugging_file_goes_too(library: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked.so"
    subprocess.run(["objcopy", f"--add-gnu-debuglink={library}", str(library), str(linked)], check=True)
    assert ".gnu_debuglink" in sections(linked.read_bytes())
    assert ".gnu_debuglink" not in sections(read(strip_elf(on_disk(linked)).content))


def test_a_section_of_unknown_purpose_stays(program: Path, tmp_path: Path) -> None:
    payload = random.Random(8).randbytes(5000)
    (tmp_path / "payload").write_bytes(payload)
    packed = tmp_path / "packed"
    subprocess.run(["objcopy", f"--add-section=pydata={tmp_path}/payload", str(program), str(packed)], check=True)
    stripped = write(strip_elf(on_disk(packed)).content, tmp_path / "stripped")
    row = next(row for row in section_rows(stripped.read_bytes()) if row.name == "pydata")
    assert stripped.read_bytes()[row.offset : row.offset + row.size] == payload
    assert stripped.stat().st_size < packed.stat().st_size
    assert complaints(stripped) == set()


def left_alone(content: Content) -> str:
    """Check that a file comes back as it is; the reason, or nothing where there was nothing to gain."""
    outcome = strip_elf(content)
    assert outcome.content is content
    assert {refusal.tried for refusal in outcome.refusals} <= {"strip"}
    return "".join(refusal.why for refusal in outcome.refusals)


@pytest.mark.parametrize("payload", [b"\x01", b"PK\x05\x06" + bytes(18), bytes(4096)])
def test_a_file_with_something_behind_its_end_is_left_alone(program: Path, payload: bytes) -> None:
    data = program.read_bytes()
    why = f"it carries {len(payload):,} bytes at {len(data):,} that no header tells of"
    assert left_alone(Inline(data + payload)) == why


def test_a_file_without_section_headers_has_no_symbols_to_find(program: Path) -> None:
    data = program.read_bytes()
    assert left_alone(Inline(data[:40] + bytes(8) + data[48:60] + bytes(4) + data[64:])) == ""


def test_a_file_whose_sections_have_no_names_is_left_alone(program: Path) -> None:
    data = program.read_bytes()
    assert left_alone(Inline(data[:62] + b"\xff\x00" + data[64:])) == (
        "its sections have no names: they should be in number 255"
    )


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (1, "it is an object file, whose symbols are what a linker reads"),
        (4, "it is a core file, which nobody runs"),
        (77, "it is of the unknown type 77"),
    ],
)
def test_a_file_that_is_neither_program_nor_library_is_left_alone(program: Path, kind: int, why: str) -> None:
    data = program.read_bytes()
    assert left_alone(Inline(data[:16] + bytes([kind, 0]) + data[18:])) == why


def test_an_object_file_is_left_alone(tmp_path: Path) -> None:
    content = on_disk(compile_c(LIBRARY, tmp_path / "twice.o", "-c"))
    assert left_alone(content) == "it is an object file, whose symbols are what a linker reads"


def test_a_file_without_segments_is_left_alone(program: Path) -> None:
    data = program.read_bytes()
    assert left_alone(Inline(data[:56] + bytes(2) + data[58:])).startswith("it has no segments")


def test_a_file_of_nothing_but_debugging_information_is_left_alone(program: Path, tmp_path: Path) -> None:
    subprocess.run(["objcopy", "--only-keep-debug", str(program), str(tmp_path / "program.debug")], check=True)
    content = on_disk(tmp_path / "program.debug")
    assert left_alone(content) == "it is all debugging information: its code lies in another file"


@pytest.mark.parametrize("data", [b"\x7fELF", b"\x7fELF" + bytes(100)])
def test_what_is_hardly_a_program_is_left_alone(data: bytes) -> None:
    assert left_alone(Inline(data)).startswith("it is malformed: ")


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"!<arch>\n"])
def test_what_is_no_elf_is_left_alone_without_a_word(data: bytes) -> None:
    assert left_alone(Inline(data)) == ""


def test_a_file_cut_anywhere_is_left_alone(library: Path) -> None:
    data = library.read_bytes()
    whys = {left_alone(Inline(data[:size])) for size in range(101, len(data), 101)}
    assert all(why.startswith("it is malformed: ") for why in whys)


def test_a_file_that_shrank_meanwhile_is_left_alone(library: Path, tmp_path: Path) -> None:
    data = library.read_bytes()
    (tmp_path / "shrunk.so").write_bytes(data[: len(data) // 2])
    why = f"it is malformed: it ends before its {len(data)} bytes are read"
    assert left_alone(OnDisk(tmp_path / "shrunk.so", len(data))) == why


def test_a_file_with_wrong_bytes_loses_nothing_that_is_loaded(library: Path) -> None:
    data = library.read_bytes()
    tables = [*range(4, 64 + 56 * 12), *range(int.from_bytes(data[40:48], "little"), len(data))]
    chance, changed = random.Random(9), 0
    for _ in range(1500):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            broken[chance.choice(tables)] = chance.randrange(256)
        content = Inline(bytes(broken))
        stripped = strip_elf(content).content
        if stripped is not content:
            changed += 1
            result = read(stripped)
            assert len(result) == stripped.size <= len(broken)
            for offset, part in loaded(bytes(broken)):
                start = max(offset, 64)
                assert result[start : offset + len(part)] == part[start - offset :]
    assert changed > 500


def test_a_large_file_is_never_held_in_memory(tmp_path: Path) -> None:
    source = "char large[32 << 20] = {1}; int main(void) { return large[0]; }"
    original = on_disk(compile_c(source, tmp_path / "large"))
    tracemalloc.start()
    try:
        content = strip_elf(original).content
        with content.open() as stream:
            assert sum(map(len, iter(lambda: stream.read(65536), b""))) == content.size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 32 << 20 < content.size < original.size
    assert peak < 1 << 20
