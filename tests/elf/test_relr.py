"""Relocations in the short form: which may have it, where the tables lie, and what a loader makes of them."""

from __future__ import annotations

import ctypes
import platform
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cannery.elf.constants import (
    DF_TEXTREL,
    DT_FLAGS,
    DT_JMPREL,
    DT_PLTREL,
    DT_RELA,
    DT_RELACOUNT,
    DT_RELAENT,
    DT_RELASZ,
    DT_RELR,
    DT_RELRSZ,
    DT_STRSZ,
    DT_STRTAB,
    DT_TEXTREL,
    DT_VERNEED,
    PT_DYNAMIC,
)
from cannery.elf.headers import UnsupportedElfError
from cannery.elf.relr import has_relative, pack_relocations
from cannery.elf.rewrite import LoadedElf
from cannery.elf.versions import GLIBC_ABI_DT_RELR, elf_hash, version_needs
from tests.support.elf_files import WITH_POINTERS, compile_c, compile_for, loaded, stripped

if TYPE_CHECKING:
    from pathlib import Path

SHARED = ("-shared", "-fPIC", "-O1")
ENTRY = struct.Struct("<QQq")

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(platform.libc_ver() < ("glibc", "2.36"), reason="this C library can't read DT_RELR"),
]


@pytest.fixture(scope="module")
def library_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_c(WITH_POINTERS, tmp_path_factory.mktemp("library") / "lib.so", *SHARED).read_bytes()


@pytest.fixture
def library(library_file: bytes) -> LoadedElf:
    return LoadedElf.read(library_file)


def rows(program: LoadedElf) -> list[tuple[int, int, int]]:
    table = program.at_address(program.tag(DT_RELA) or 0, program.tag(DT_RELASZ) or 0)
    return list(ENTRY.iter_unpack(table))


def unpacked(words: bytes) -> list[int]:
    """The places that the words of DT_RELR tell of, by the specification (gABI, "Relocation")."""
    places, where = [], 0
    for (word,) in struct.iter_unpack("<Q", words):
        if word % 2 == 0:
            places.append(word)
            where = word + 8
        else:
            places += [where + 8 * bit for bit in range(63) if word >> (bit + 1) & 1]
            where += 63 * 8
    return places


def test_each_packed_place_holds_what_its_row_said(library: LoadedElf) -> None:
    before = {place: addend for place, info, addend in rows(library) if info == 8}
    assert has_relative(library)
    assert pack_relocations(library)
    words = library.at_address(library.tag(DT_RELR) or 0, library.tag(DT_RELRSZ) or 0)
    assert sorted(before) == unpacked(words)
    assert {place: int.from_bytes(library.at_address(place, 8), "little") for place in before} == before
    assert library.tag(DT_RELACOUNT) is None
    assert not [row for row in rows(library) if row[1] == 8]
    assert len(words) * 63 < len(before) * 24 * 10


def test_what_is_packed_once_is_not_packed_again(library: LoadedElf) -> None:
    assert pack_relocations(library)
    again = LoadedElf.read(library.assembled())
    assert not pack_relocations(again)


def test_the_linker_s_own_form_is_left_alone(tmp_path: Path) -> None:
    program = loaded(compile_c(WITH_POINTERS, tmp_path / "lib.so", *SHARED, "-Wl,-z,pack-relative-relocs"))
    before = program.dynamic[:]
    assert not pack_relocations(program)
    assert program.dynamic == before


def test_a_file_without_relocations_has_nothing_to_pack(tmp_path: Path) -> None:
    source = "int f(void) { return 1; }"
    assert not pack_relocations(loaded(compile_c(source, tmp_path / "lib.so", *SHARED, "-nostdlib")))


def test_a_file_that_asks_glibc_for_versions_asks_for_that_of_relr_too(library: LoadedElf) -> None:
    strings = library.tag(DT_STRTAB) or 0
    size = library.tag(DT_STRSZ) or 0
    assert pack_relocations(library)
    needs = list(version_needs(library.at_address, library.tag(DT_VERNEED) or 0))
    (need,) = needs
    names = library.at_address(strings, library.tag(DT_STRSZ) or 0)
    asked = [names[version.name :].partition(b"\0")[0] for version in need.versions]
    assert asked[-1] == GLIBC_ABI_DT_RELR
    assert len(set(asked)) == len({version.number for version in need.versions}) == len(asked)
    assert len(names) > size  # DT_STRSZ reaches up to the new name
    assert names.endswith(GLIBC_ABI_DT_RELR + b"\0")
    assert need.versions[-1].digest == elf_hash(GLIBC_ABI_DT_RELR)


def test_glibc_refuses_a_file_with_relr_that_does_not_ask_for_it(library: LoadedElf, tmp_path: Path) -> None:
    """So the version has to be added, for all that it costs."""
    versions = (library.tag(DT_VERNEED), library.tag(DT_STRSZ))
    assert pack_relocations(library)
    library.set_tags(dict(zip((DT_VERNEED, DT_STRSZ), versions, strict=True)))
    (tmp_path / "lib.so").write_bytes(library.assembled())
    with pytest.raises(OSError, match="without GLIBC_ABI_DT_RELR"):
        ctypes.CDLL(str(tmp_path / "lib.so"))


def test_a_file_that_asks_for_no_versions_gets_none(tmp_path: Path) -> None:
    source = "static int x[9]; int *p[900] = {" + ",".join(f"x + {n % 9}" for n in range(900)) + "};"
    program = loaded(compile_c(source, tmp_path / "lib.so", *SHARED, "-nostdlib"))
    assert pack_relocations(program)
    assert program.tag(DT_VERNEED) is None
    (tmp_path / "small.so").write_bytes(program.assembled())
    found = ctypes.CDLL(str(tmp_path / "small.so"))
    start = ctypes.c_void_p.in_dll(found, "p").value or 0
    assert (ctypes.c_void_p * 2).in_dll(found, "p")[1] == start + 4


def test_symbols_that_nobody_else_has_are_bound(library: LoadedElf, tmp_path: Path) -> None:
    text = library.assembled()
    free, bound = LoadedElf.read(text), LoadedElf.read(text)
    assert pack_relocations(free)
    assert pack_relocations(bound, {b"one", b"two"})
    assert len(rows(free)) - len(rows(bound)) == 8
    (tmp_path / "libbound.so").write_bytes(bound.assembled())
    assert ctypes.CDLL(str(tmp_path / "libbound.so")).call(3) == 2


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ("extern int there; int *p[900] = {MANY(&there)};", ()),  # others define it
        ("__thread int mine = 3; int *f(void) { return &mine; }", ()),  # it's relative to a thread's memory
        ("extern char mine; char *p[900] = {MANY(&mine)};", ("-Wl,--defsym=mine=77",)),  # it's no address
        (  # others replace it
            "void *malloc(unsigned long n) { return (void *) n; } void *(*p[900])(unsigned long) = {MANY(malloc)};",
            (),
        ),
        (
            (
                "static int one(void) { return 1; } static void *pick(void) { return one; }"
                'int mine(void) __attribute__((ifunc("pick"))); int (*p[900])(void) = {MANY(mine)};'
            ),
            (),
        ),
    ],
    ids=["undefined", "thread", "absolute", "malloc", "ifunc"],
)
def test_symbols_that_are_not_surely_an_address_of_the_file_are_looked_up(
    tmp_path: Path, source: str, flags: tuple[str, ...]
) -> None:
    macro = "#define MANY(x) " + ",".join(["x"] * 900) + "\n"
    relative = "static int y; int *q[900] = {MANY(&y)};\n"
    program = loaded(compile_c(macro + relative + source, tmp_path / "lib.so", *SHARED, "-nostdlib", *flags))
    before = [row for row in rows(program) if row[1] != 8]
    assert before
    assert pack_relocations(program, {b"mine", b"there", b"malloc"})
    assert [row for row in rows(program) if row[1] != 8] == before


def changed(program: LoadedElf, number: int, row: tuple[int, int, int]) -> None:
    program.write((program.tag(DT_RELA) or 0) + number * ENTRY.size, ENTRY.pack(*row))


@pytest.mark.parametrize("move", [4, -0x4000], ids=["between two words", "where nothing is written"])
def test_a_place_that_can_t_be_packed_keeps_its_row(library: LoadedElf, move: int) -> None:
    place, info, addend = rows(library)[0]
    changed(library, 0, (place + move if move > 0 else 0x10, info, addend))
    assert pack_relocations(library)
    assert rows(library)[0] == (place + move if move > 0 else 0x10, info, addend)


def test_a_place_with_two_relocations_keeps_both(library: LoadedElf) -> None:
    """The last one counts; a loader works through packed ones first."""
    first, second = rows(library)[:2]
    changed(library, 1, (first[0], *second[1:]))
    assert pack_relocations(library)
    assert rows(library)[:2] == [first, (first[0], *second[1:])]


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({DT_TEXTREL: 0}, "change its code"),
        ({DT_FLAGS: DF_TEXTREL}, "change its code"),
        ({DT_PLTREL: 17}, "another form"),
        ({DT_RELAENT: 16}, "16 bytes each"),
    ],
)
def test_a_file_whose_relocations_are_special_says_so(
    library: LoadedElf, tags: dict[int, int | None], why: str
) -> None:
    library.set_tags(tags)
    before = bytes(library.data)
    with pytest.raises(UnsupportedElfError, match=why):
        pack_relocations(library)
    assert library.data == before


def test_a_table_within_the_other_is_left_alone(library: LoadedElf) -> None:
    library.set_tags({DT_JMPREL: (library.tag(DT_RELA) or 0) + ENTRY.size})
    with pytest.raises(UnsupportedElfError, match="lie among the others"):
        pack_relocations(library)


def test_strings_behind_the_relocations_can_t_get_another(library: LoadedElf) -> None:
    library.set_tags({DT_STRTAB: (library.tag(DT_RELA) or 0) + (library.tag(DT_RELASZ) or 0)})
    with pytest.raises(UnsupportedElfError, match="don't lie behind its strings"):
        pack_relocations(library)


def test_a_dynamic_segment_without_room_says_how_much_is_lacking(library: LoadedElf) -> None:
    place = next(each for each in library.segments if each.type == PT_DYNAMIC)
    library.segments[library.segments.index(place)] = place._replace(filesz=place.filesz - 16 * library.spare_tags)
    before = library.dynamic[:]
    with pytest.raises(UnsupportedElfError, match="no room for 2 more entries"):  # DT_RELACOUNT goes
        pack_relocations(library)
    assert library.dynamic == before


@pytest.mark.slow
def test_bound_at_once_two_tables_become_one_where_room_is_lacking(tmp_path: Path) -> None:
    """A linker like lld leaves no room to spare: the entries of the PLT's table make it."""
    program = loaded(compile_for("native", WITH_POINTERS, tmp_path / "lib.so", *SHARED, "-Wl,-z,now"))
    assert program.spare_tags == 0
    assert program.tag(DT_JMPREL)
    assert pack_relocations(program)
    assert program.tag(DT_JMPREL) is None
    (tmp_path / "small.so").write_bytes(program.assembled())
    found = ctypes.CDLL(str(tmp_path / "small.so"))
    assert (found.sum(), found.call(1)) == (4498500, 2)


def test_a_program_that_relocates_itself_is_left_alone(tmp_path: Path) -> None:
    source = WITH_POINTERS + "int main(void) { return call(1); }"
    program = loaded(compile_c(source, tmp_path / "program", "-static-pie"))
    assert program.loads_itself
    with pytest.raises(UnsupportedElfError, match="relocates itself"):
        pack_relocations(program)


@pytest.mark.parametrize("flags", [(), ("-Wl,-z,now",)])
def test_a_program_with_packed_relocations_runs(tmp_path: Path, flags: tuple[str, ...]) -> None:
    source = WITH_POINTERS + "int main(void) { return sum() == 4498500 && call(1) == 2 ? 7 : 1; }"
    program = LoadedElf.read(stripped(compile_c(source, tmp_path / "program", *flags)))
    assert pack_relocations(program)
    small = tmp_path / "small"
    small.write_bytes(program.assembled())
    small.chmod(0o755)
    assert subprocess.run([str(small)], check=False).returncode == 7


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="for Linux's loader")
def test_relocations_of_aarch64_are_known_too(tmp_path: Path) -> None:
    program = loaded(compile_for("aarch64-linux-gnu", WITH_POINTERS, tmp_path / "lib.so", *SHARED, "-Wl,-z,now"))
    relative = [row for row in rows(program) if row[1] == 1027]
    assert relative
    assert pack_relocations(program)
    words = program.at_address(program.tag(DT_RELR) or 0, program.tag(DT_RELRSZ) or 0)
    assert unpacked(words) == sorted(place for place, _, _ in relative)
