"""The table of sections without those for debuggers: the others keep their numbers and names."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING

import pytest

from cannery.elf.constants import SHT_NULL, SHT_STRTAB
from cannery.elf.headers import ElfReader, MalformedElfError
from cannery.elf.sections import SectionTable
from tests.support.elf_files import ENCODINGS, LIBRARY, Handmade, Section, compile_c, sections

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

PROGBITS, SYMTAB, NOTE = 1, 2, 7


def table_of(data: bytes) -> SectionTable:
    return SectionTable.read(ElfReader(io.BytesIO(data), len(data)))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_c(LIBRARY, tmp_path_factory.mktemp("library") / "lib.so", "-shared", "-fPIC", "-gz")


def test_sections_have_the_names_that_readelf_has_for_them(library: Path) -> None:
    data = library.read_bytes()
    assert [name.decode() for name in table_of(data).names[1:]] == sections(data)


def test_symbols_and_what_is_for_debuggers_goes(library: Path) -> None:
    table = table_of(library.read_bytes())
    names = dict(zip(table.sections, table.names, strict=True))
    dropped = {names[each] for each in table.dropped()}
    assert {b".symtab", b".strtab", b".shstrtab", b".comment", b".debug_info", b".debug_line"} <= dropped
    kept = {names[each] for each in table.kept()}
    assert {b".text", b".dynsym", b".dynstr", b".dynamic", b".eh_frame"} <= kept
    assert len(kept) + len(dropped) == len(table.sections)
    assert list(table.names_of_unknown()) == []


def test_sections_of_unknown_purpose_stay(library: Path, tmp_path: Path) -> None:
    (tmp_path / "payload").write_bytes(b"x" * 50)
    added = [f"--add-section={name}={tmp_path}/payload" for name in ("mine", ".gnu_debuglink2", ".note.stapsdt")]
    flags = ["--set-section-flags=.note.stapsdt=readonly", *added]
    subprocess.run(["objcopy", *flags, str(library), str(tmp_path / "added.so")], check=True)
    table = table_of((tmp_path / "added.so").read_bytes())
    assert {b"mine", b".gnu_debuglink2"} <= set(table.names_of_unknown())


@pytest.mark.parametrize(("is_64", "little"), ENCODINGS)
def test_a_rendered_table_can_be_read_again(is_64: bool, little: bool) -> None:
    elf = Handmade(is_64=is_64, little=little, size=0x400)
    elf.sections = [
        Section(".text", PROGBITS, 2, 0x100, 0x100),
        Section(".symtab", SYMTAB, 0, 0x200, 0x40, link=1),
        Section(".data", PROGBITS, 2, 0x300, 0x100, link=2),
        Section(".comment", PROGBITS, 0, 0x380, 0x10),
    ]
    data = elf.build()
    table = table_of(data)
    place = 0x1000
    rendered = table.render(place)
    reader = ElfReader(io.BytesIO(data), len(data))
    header = reader.header._replace(shoff=place, shnum=table.rows, shstrndx=table.rows - 1)
    whole = (reader.encoding.header.pack(*header) + data[reader.encoding.header.size :]).ljust(place, b"\0") + rendered
    again = table_of(whole)
    assert again.names == (b"", b".text", b"", b".data", b".shstrtab")
    assert [each.type for each in again.sections] == [SHT_NULL, PROGBITS, SHT_NULL, PROGBITS, SHT_STRTAB]
    assert again.sections[3].link == 0  # it named one that went
    assert again.sections[1].offset == 0x100


def test_a_file_of_debugging_information_alone_is_known(library: Path, tmp_path: Path) -> None:
    subprocess.run(["objcopy", "--only-keep-debug", str(library), str(tmp_path / "lib.debug")], check=True)
    assert table_of((tmp_path / "lib.debug").read_bytes()).has_only_debugging_information
    assert not table_of(library.read_bytes()).has_only_debugging_information


def test_names_outside_their_table_are_refused(library: Path) -> None:
    data = bytearray(library.read_bytes())
    first = int.from_bytes(data[40:48], "little") + 64
    data[first : first + 4] = b"\xff\xff\xff\0"
    with pytest.raises(MalformedElfError, match="no string at"):
        table_of(bytes(data))
