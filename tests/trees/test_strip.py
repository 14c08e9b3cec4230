from __future__ import annotations

import ctypes
import io
import random
import struct
import subprocess
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile

from cannery.model import Directory, File, Inline, Symlink, Tree
from cannery.trees.strip import strip, strip_elf
from tests.trees.elf_files import (
    ENCODINGS,
    LIBRARY,
    PROGRAM,
    PT_DYNAMIC,
    PT_INTERP,
    PT_LOAD,
    Handmade,
    Section,
    Segment,
    compile_c,
    complaints,
    on_disk,
    read,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

ALLOC, PROGBITS, SYMTAB, STRTAB = 2, 1, 2, 3


def loaded(data: bytes) -> list[tuple[int, bytes]]:
    """What a loader maps of a 64-bit, little-endian file: offsets and bytes."""
    (table,) = struct.unpack_from("<Q", data, 32)
    (rows,) = struct.unpack_from("<H", data, 56)
    segments = (struct.unpack_from("<IIQQQQ", data, table + 56 * row) for row in range(rows))
    return [(offset, data[offset : offset + size]) for kind, _, offset, _, _, size in segments if kind == PT_LOAD]


def sections(data: bytes) -> list[str]:
    return [section.name for section in ELFFile(io.BytesIO(data)).iter_sections() if section["sh_type"] != "SHT_NULL"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_c(PROGRAM, tmp_path_factory.mktemp("program") / "program")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_c(LIBRARY, tmp_path_factory.mktemp("library") / "libtwice.so", "-shared", "-fPIC")


@pytest.mark.parametrize("flags", [(), ("-no-pie",), ("-static",), ("-static-pie",), ("-Wl,-z,separate-code",)])
def test_a_program_runs_as_before(tmp_path: Path, flags: tuple[str, ...]) -> None:
    original = compile_c(PROGRAM, tmp_path / "original", *flags)
    stripped = write(strip_elf(on_disk(original)), tmp_path / "stripped")
    assert stripped.stat().st_size < original.stat().st_size
    done = subprocess.run([str(stripped)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "hello\nfrom\nC\n")


def test_a_library_is_loaded_as_before(library: Path, tmp_path: Path) -> None:
    stripped = write(strip_elf(on_disk(library)), tmp_path / "libtwice.so")
    assert ctypes.CDLL(str(stripped)).twice(21) == 42


def test_a_library_can_be_linked_against_as_before(library: Path, tmp_path: Path) -> None:
    write(strip_elf(on_disk(library)), tmp_path / "libtwice.so")
    source = "int twice(int); int main(void) { return twice(4); }"
    user = compile_c(source, tmp_path / "user", f"-L{tmp_path}", "-ltwice", f"-Wl,-rpath,{tmp_path}")
    assert subprocess.run([str(user)], check=False).returncode == 8


def test_no_symbol_and_no_debugging_information_is_left(library: Path) -> None:
    assert b"helper_that_is_only_a_symbol" in library.read_bytes()
    data = read(strip_elf(on_disk(library)))
    assert b"helper_that_is_only_a_symbol" not in data
    assert not [name for name in sections(data) if name.startswith((".debug", ".symtab", ".strtab", ".comment"))]


def test_what_is_loaded_stays_where_it_is_byte_for_byte(program: Path) -> None:
    before, after = program.read_bytes(), read(strip_elf(on_disk(program)))
    (offset, head), *others = loaded(before)
    assert offset == 0
    assert loaded(after)[1:] == others
    assert loaded(after)[0][1][64:] == head[64:]  # all but the ELF header, which tells where the sections are


def test_the_loaded_sections_are_listed_as_before(program: Path) -> None:
    kept = [name for name in sections(program.read_bytes()) if not name.startswith((".debug", ".symtab", ".strtab"))]
    kept.remove(".comment")
    assert sections(read(strip_elf(on_disk(program)))) == kept


def test_readelf_has_nothing_to_complain_about(program: Path, library: Path, tmp_path: Path) -> None:
    for path in (program, library):
        assert complaints(write(strip_elf(on_disk(path)), tmp_path / "stripped")) == set()


def test_a_stripped_file_comes_back_as_it_is(program: Path, library: Path, tmp_path: Path) -> None:
    for path in (program, library):
        stripped = on_disk(write(strip_elf(on_disk(path)), tmp_path / "stripped"))
        assert strip_elf(stripped) is stripped


def test_strip_by_gnu_saves_no_more(library: Path, tmp_path: Path) -> None:
    subprocess.run(["strip", "-s", "-o", str(tmp_path / "gnu.so"), str(library)], check=True)
    assert strip_elf(on_disk(library)).size <= (tmp_path / "gnu.so").stat().st_size


def test_the_name_of_a_debugging_file_goes_too(library: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked.so"
    subprocess.run(["objcopy", "--strip-all", f"--add-gnu-debuglink={library}", str(library), str(linked)], check=True)
    assert ".gnu_debuglink" in sections(linked.read_bytes())
    assert ".gnu_debuglink" not in sections(read(strip_elf(on_disk(linked))))


def test_a_section_of_unknown_purpose_stays(program: Path, tmp_path: Path) -> None:
    payload = random.Random(8).randbytes(5000)
    (tmp_path / "payload").write_bytes(payload)
    packed = tmp_path / "packed"
    subprocess.run(["objcopy", f"--add-section=pydata={tmp_path}/payload", str(program), str(packed)], check=True)
    stripped = write(strip_elf(on_disk(packed)), tmp_path / "stripped")
    with stripped.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name("pydata")
        assert section is not None
        assert section.data() == payload
    assert stripped.stat().st_size < packed.stat().st_size
    assert complaints(stripped) == set()


@pytest.mark.parametrize("payload", [b"\x01", b"PK\x05\x06" + bytes(18), bytes(4096)])
def test_a_file_with_something_behind_its_end_is_left_alone(program: Path, payload: bytes) -> None:
    content = Inline(program.read_bytes() + payload)
    assert strip_elf(content) is content


def test_a_file_without_section_headers_is_left_alone(program: Path) -> None:
    data = program.read_bytes()
    content = Inline(data[:40] + bytes(8) + data[48:60] + bytes(4) + data[64:])
    assert strip_elf(content) is content


def test_an_object_file_is_left_alone(tmp_path: Path) -> None:
    content = on_disk(compile_c(LIBRARY, tmp_path / "twice.o", "-c"))
    assert strip_elf(content) is content


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF" + bytes(100), b"#!/bin/sh\n", b"!<arch>\n"])
def test_what_is_hardly_a_program_is_left_alone(data: bytes) -> None:
    content = Inline(data)
    assert strip_elf(content) is content


def test_a_file_cut_anywhere_is_left_alone(library: Path) -> None:
    data = library.read_bytes()
    for size in range(0, len(data), 101):
        content = Inline(data[:size])
        assert strip_elf(content) is content


def test_a_file_with_wrong_bytes_loses_nothing_that_is_loaded(library: Path) -> None:
    data = library.read_bytes()
    tables = [*range(4, 64 + 56 * 12), *range(int.from_bytes(data[40:48], "little"), len(data))]
    chance, changed = random.Random(9), 0
    for _ in range(1500):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            broken[chance.choice(tables)] = chance.randrange(256)
        content = Inline(bytes(broken))
        stripped = strip_elf(content)
        if stripped is not content:
            changed += 1
            result = read(stripped)
            assert len(result) == stripped.size <= len(broken)
            for offset, part in loaded(bytes(broken)):
                start = max(offset, 64)
                assert result[start : offset + len(part)] == part[start - offset :]
    assert changed > 500


def handmade(*, is_64: bool = True, little: bool = True, symbols: int = 0x1000) -> Handmade:
    """Two loaded segments; ``symbols`` is where a symbol table of 0x800 bytes lies."""
    return Handmade(
        is_64=is_64,
        little=little,
        size=0x3000,
        segments=[Segment(PT_LOAD, 0, 0x1000), Segment(PT_LOAD, 0x2000, 0x800, 0x2000)],
        sections=[
            Section(".text", PROGBITS, ALLOC, 0x800, 0x800),
            Section(".symtab", SYMTAB, 0, symbols, 0x600, link=3),
            Section(".strtab", STRTAB, 0, symbols + 0x600, 0x200),
            Section(".dynstr", STRTAB, ALLOC, 0x2000, 0x400),
            Section(".dynsym", PROGBITS, ALLOC, 0x2400, 0x400, link=4),
        ],
        contents={0x800: b"T" * 0x800, symbols: b"S" * 0x800, 0x2000: b"D" * 0x800},
    )


@pytest.mark.parametrize(("is_64", "little"), ENCODINGS)
def test_either_class_and_byte_order_is_stripped(tmp_path: Path, is_64: bool, little: bool) -> None:
    data = handmade(is_64=is_64, little=little, symbols=0x2800).build()
    stripped = write(strip_elf(Inline(data)), tmp_path / "stripped")
    result = stripped.read_bytes()
    assert b"S" not in result[0x2800:].replace(b".shstrtab", b"")
    assert result[0x800:0x2800] == data[0x800:0x2800]
    assert len(result) < 0x2A00
    assert sections(result) == [".text", ".dynstr", ".dynsym", ".shstrtab"]
    assert complaints(stripped) == set()


def test_the_sections_keep_their_numbers() -> None:
    elf = ELFFile(io.BytesIO(read(strip_elf(Inline(handmade().build())))))
    dynsym = elf.get_section(5)
    assert dynsym.name == ".dynsym"
    assert elf.get_section(dynsym["sh_link"]).name == ".dynstr"
    assert [section["sh_type"] for section in elf.iter_sections()][2:4] == ["SHT_NULL", "SHT_NULL"]


def test_symbols_between_segments_become_zeros_and_hold_the_new_table() -> None:
    data = handmade().build()
    result = read(strip_elf(Inline(data)))
    assert len(result) == 0x2800
    assert b"SS" not in result
    assert result[0x2000:] == data[0x2000:0x2800]
    assert 0x1000 <= int.from_bytes(result[40:48], "little") < 0x1800


def test_a_file_with_zeros_between_its_segments_comes_back_as_it_is() -> None:
    stripped = Inline(read(strip_elf(Inline(handmade().build()))))
    assert strip_elf(stripped) is stripped


def test_symbols_that_a_segment_holds_stay() -> None:
    elf = handmade()
    elf.segments[0].size = 0x2000
    assert read(strip_elf(Inline(elf.build())))[0x1000:0x1800] == b"S" * 0x800


@pytest.mark.parametrize("kind", [PT_INTERP, PT_DYNAMIC])
def test_a_segment_that_is_not_loaded_stays(kind: int) -> None:
    elf = handmade(symbols=0x2800)
    elf.segments.append(Segment(kind, 0x2900, 0x10))
    result = read(strip_elf(Inline(elf.build())))
    assert result[0x2800:0x2910] == bytes(0x100) + b"S" * 0x10


def test_a_file_with_a_section_of_no_name_is_left_alone() -> None:
    data = bytearray(handmade().build())
    first_section = int.from_bytes(data[40:48], "little") + 64
    data[first_section : first_section + 4] = b"\xff\xff\0\0"
    content = Inline(bytes(data))
    assert strip_elf(content) is content


def test_a_tree_keeps_its_modes_owners_and_all_that_is_not_elf(library: Path) -> None:
    before = Tree(
        {
            "/lib/libtwice.so": File(on_disk(library), mode=0o750, uid=3, gid=4),
            "/lib/libtwice.so.1": Symlink("libtwice.so"),
            "/lib/readme": File(Inline(b"text")),
            "/lib/empty": Directory(0o700),
        }
    )
    after = before | strip
    changed = after.entries["/lib/libtwice.so"]
    assert isinstance(changed, File)
    assert (changed.mode, changed.uid, changed.gid) == (0o750, 3, 4)
    assert changed.content.size < library.stat().st_size
    assert {**after.entries, "/lib/libtwice.so": None} == {**before.entries, "/lib/libtwice.so": None}


def test_a_large_file_is_never_held_in_memory(tmp_path: Path) -> None:
    source = "char large[32 << 20] = {1}; int main(void) { return large[0]; }"
    original = on_disk(compile_c(source, tmp_path / "large"))
    tracemalloc.start()
    try:
        content = strip_elf(original)
        with content.open() as stream:
            assert sum(map(len, iter(lambda: stream.read(65536), b""))) == content.size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 32 << 20 < content.size < original.size
    assert peak < 1 << 20
