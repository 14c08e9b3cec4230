"""Versions that files ask for: the newest of glibc's is the oldest that will do."""

from __future__ import annotations

import platform
import re
import struct
from pathlib import Path

import pytest

from cannery.elf.constants import DT_STRSZ, DT_STRTAB, DT_VERDEF, DT_VERNEED
from cannery.elf.headers import MalformedElfError
from cannery.elf.versions import elf_hash, highest_defined, needed_glibc, version_needs
from cannery.image.content import Inline
from tests.support.elf_files import (
    ENCODINGS,
    PT_DYNAMIC,
    PT_LOAD,
    WITH_POINTERS,
    Handmade,
    Segment,
    compile_c,
    compile_for,
    loaded,
    on_disk,
    readelf,
    stripped,
)

pytestmark = pytest.mark.once

SHARED = ("-shared", "-fPIC", "-O1")
STRINGS = b"\0libc.so.6\0GLIBC_2.17\0GLIBC_2.2.5\0GLIBC_PRIVATE\0OTHER_9.9\0"


def handmade(*, is_64: bool = True, little: bool = True, table: int = 0x10500) -> bytes:
    """A library that asks libc.so.6 for four versions; the table lies at the address 0x10500."""
    elf = Handmade(is_64=is_64, little=little, size=0x800)
    order = "<" if little else ">"
    names = (b"GLIBC_2.2.5", b"GLIBC_2.17", b"GLIBC_PRIVATE", b"OTHER_9.9")
    need = struct.pack(f"{order}HHIII", 1, len(names), STRINGS.index(b"libc"), 16, 0)
    asked = b"".join(
        struct.pack(f"{order}IHHII", elf_hash(name), 0, number + 2, STRINGS.index(name), 16 * (number < 3))
        for number, name in enumerate(names)
    )
    entries = elf.dynamic((DT_STRTAB, 0x10600), (DT_STRSZ, len(STRINGS)), (DT_VERNEED, table), (0, 0))
    elf.segments = [Segment(PT_LOAD, 0, 0x800, 0x10000), Segment(PT_DYNAMIC, 0x400, len(entries), 0x10400)]
    elf.contents = {0x400: entries, 0x500: need + asked, 0x600: STRINGS}
    return elf.build()


@pytest.mark.parametrize(("is_64", "little"), ENCODINGS)
def test_the_newest_version_counts_in_either_class_and_byte_order(is_64: bool, little: bool) -> None:
    assert needed_glibc(Inline(handmade(is_64=is_64, little=little))) == (2, 17)


def newest(path: Path) -> tuple[int, int]:
    """The same by readelf, from the sections."""
    names = re.findall(
        r"Name: (?:GLIBC_(\d+)\.(\d+)(?:\.\d+)?|(GLIBC_ABI_DT_RELR))  Flags", readelf(path.read_bytes(), "-V")
    )
    return max(((2, 36) if relr else (int(major), int(minor)) for major, minor, relr in names), default=(0, 0))


def test_compiled_files_need_what_readelf_says(tmp_path: Path) -> None:
    made = [
        compile_c(WITH_POINTERS, tmp_path / "lib.so", *SHARED),
        compile_c('#include <stdio.h>\nint main(void) { return puts(""); }', tmp_path / "program"),
        Path("/usr/bin/env"),
    ]
    assert [needed_glibc(on_disk(path)) for path in made] == [newest(path) for path in made]
    assert newest(made[1]) > (2, 0)


@pytest.mark.skipif(platform.libc_ver() < ("glibc", "2.36"), reason="this C library can't read DT_RELR")
def test_packed_relocations_need_the_glibc_that_reads_them(tmp_path: Path) -> None:
    path = compile_c(WITH_POINTERS, tmp_path / "lib.so", *SHARED, "-Wl,-z,pack-relative-relocs")
    assert needed_glibc(on_disk(path)) == newest(path) == (2, 36)


def test_no_section_headers_are_needed(tmp_path: Path) -> None:
    path = compile_c(WITH_POINTERS, tmp_path / "lib.so", *SHARED)
    program = loaded(path)
    assert (
        needed_glibc(Inline(program.assembled())) == needed_glibc(on_disk(path)) == needed_glibc(Inline(stripped(path)))
    )


@pytest.mark.slow
def test_what_was_compiled_for_an_old_glibc_needs_no_more(tmp_path: Path) -> None:
    made = compile_for("x86_64-linux-gnu.2.17", WITH_POINTERS, tmp_path / "lib.so", *SHARED)
    assert needed_glibc(on_disk(made)) <= (2, 17)


def test_what_asks_for_none_needs_none(tmp_path: Path) -> None:
    static = compile_c("int main(void) { return 0; }", tmp_path / "static", "-static")
    free = compile_c("int f(void) { return 0; }", tmp_path / "free.so", *SHARED, "-nostdlib")
    assert [needed_glibc(content) for content in (on_disk(static), on_disk(free), Inline(b"text"))] == [(0, 0)] * 3


@pytest.mark.parametrize(
    "data", [handmade(table=0x99999), handmade(table=0x10000 + 0x7F8), b"\x7fELF", handmade()[:0x610]]
)
def test_a_damaged_file_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedElfError):
        needed_glibc(Inline(data))


def test_each_library_is_read_with_its_versions(tmp_path: Path) -> None:
    source = '#include <math.h>\n#include <stdio.h>\nint f(double x) { return puts("") + (int) pow(x, x); }'
    program = loaded(compile_c(source, tmp_path / "lib.so", *SHARED, "-lm"))
    strings = program.at_address(program.tag(DT_STRTAB) or 0, program.tag(DT_STRSZ) or 0)
    needs = list(version_needs(program.at_address, program.tag(DT_VERNEED) or 0))
    assert {strings[need.file :].partition(b"\0")[0] for need in needs} == {b"libc.so.6", b"libm.so.6"}
    for need in needs:
        for version in need.versions:
            assert version.digest == elf_hash(strings[version.name :].partition(b"\0")[0])
            assert version.number > 1


def test_versions_of_its_own_are_counted(tmp_path: Path) -> None:
    script = tmp_path / "versions"
    script.write_text("ONE_1.0 { global: sum; };\nTWO_2.0 { global: one; local: *; };\n")
    program = loaded(compile_c(WITH_POINTERS, tmp_path / "lib.so", *SHARED, f"-Wl,--version-script={script}"))
    assert highest_defined(program.at_address, program.tag(DT_VERDEF)) == 3  # the file's own name is the first
    plain = loaded(compile_c(WITH_POINTERS, tmp_path / "plain.so", *SHARED))
    assert highest_defined(plain.at_address, plain.tag(DT_VERDEF)) == 1


def test_the_digest_is_that_of_the_specification() -> None:
    assert elf_hash(b"GLIBC_2.2.5") == 0x09691A75
    assert elf_hash(b"GLIBC_ABI_DT_RELR") == 0x0FD0E42
