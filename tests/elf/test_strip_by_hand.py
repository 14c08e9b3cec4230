"""Stripping layouts that no linker here makes: either class and byte order, symbols between and inside segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.elf.strip import strip_elf
from cannery.image.content import Inline
from tests.support.elf_files import (
    ENCODINGS,
    PT_DYNAMIC,
    PT_INTERP,
    PT_LOAD,
    Handmade,
    Section,
    Segment,
    complaints,
    read,
    section_rows,
    sections,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

ALLOC = 2
PROGBITS, SYMTAB, STRTAB, RELA, VERNEED = 1, 2, 3, 4, 0x6FFFFFFE


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
    stripped = write(strip_elf(Inline(data)).content, tmp_path / "stripped")
    result = stripped.read_bytes()
    assert b"S" not in result[0x2800:].replace(b".shstrtab", b"")
    assert result[0x800:0x2800] == data[0x800:0x2800]
    assert len(result) < 0x2A00
    assert sections(result) == [".text", ".dynstr", ".dynsym", ".shstrtab"]
    assert complaints(stripped) == set()


def test_the_sections_keep_their_numbers() -> None:
    rows = section_rows(read(strip_elf(Inline(handmade().build())).content))
    assert rows[5].name == ".dynsym"
    assert rows[rows[5].link].name == ".dynstr"
    assert [row.kind for row in rows[2:4]] == ["NULL", "NULL"]


def test_what_named_a_dropped_section_names_none() -> None:
    elf = handmade()
    relocations = Section(".rela.plt", RELA, ALLOC, 0x2700, 0x60, link=2, info=3, entsize=24)
    versions = Section(".gnu.version_r", VERNEED, ALLOC, 0x2760, 0x40, link=4, info=2)  # info: how many there are
    elf.sections += [relocations, versions]
    rows = section_rows(read(strip_elf(Inline(elf.build())).content))
    assert [(row.link, row.info) for row in rows[6:8]] == [(0, 0), (4, 2)]


def test_symbols_between_segments_become_zeros_and_hold_the_new_table() -> None:
    data = handmade().build()
    result = read(strip_elf(Inline(data)).content)
    assert len(result) == 0x2800
    assert b"SS" not in result
    assert result[0x2000:] == data[0x2000:0x2800]
    assert 0x1000 <= int.from_bytes(result[40:48], "little") < 0x1800


def test_a_file_with_zeros_between_its_segments_comes_back_as_it_is() -> None:
    stripped = Inline(read(strip_elf(Inline(handmade().build())).content))
    assert strip_elf(stripped).content is stripped


def test_symbols_that_a_segment_holds_stay() -> None:
    elf = handmade()
    elf.segments[0].size = 0x2000
    assert read(strip_elf(Inline(elf.build())).content)[0x1000:0x1800] == b"S" * 0x800


def test_the_file_still_reaches_the_page_of_an_empty_segment() -> None:
    elf = handmade(symbols=0x2800)
    elf.segments.append(Segment(PT_LOAD, 0x2FFF, 0, 0x5FFF))
    assert strip_elf(Inline(elf.build())).content.size >= 0x2FFF


@pytest.mark.parametrize("kind", [PT_INTERP, PT_DYNAMIC])
def test_a_segment_that_is_not_loaded_stays(kind: int) -> None:
    elf = handmade(symbols=0x2800)
    elf.segments.append(Segment(kind, 0x2900, 0x10))
    result = read(strip_elf(Inline(elf.build())).content)
    assert result[0x2800:0x2910] == bytes(0x100) + b"S" * 0x10


def test_a_file_with_a_section_of_no_name_is_left_alone() -> None:
    data = bytearray(handmade().build())
    first_section = int.from_bytes(data[40:48], "little") + 64
    data[first_section : first_section + 4] = b"\xff\xff\0\0"
    content = Inline(bytes(data))
    assert strip_elf(content).content is content
