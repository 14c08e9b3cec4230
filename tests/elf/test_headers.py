"""The headers of ELF files of either class and byte order, whole and damaged."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

from cannery.elf.headers import ElfReader, Encoding, MalformedElfError, Segment, string_at
from tests.support.elf_files import (
    ENCODINGS,
    LIBRARY,
    PT_INTERP,
    PT_LOAD,
    Handmade,
    Section,
    compile_c,
    readelf,
    section_rows,
)
from tests.support.elf_files import Segment as HandmadeSegment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once


def reader(data: bytes) -> ElfReader:
    return ElfReader(io.BytesIO(data), len(data))


def handmade(*, is_64: bool, little: bool) -> bytes:
    elf = Handmade(is_64=is_64, little=little, machine=8, size=0x400)
    elf.segments = [HandmadeSegment(PT_LOAD, 0, 0x400, 0x10000), HandmadeSegment(PT_INTERP, 0x300, 14, 0x10300)]
    elf.sections = [Section(".text", 1, 2, 0x100, 0x200)]
    return elf.build()


@pytest.mark.parametrize(("is_64", "little"), ENCODINGS)
def test_either_class_and_byte_order_is_read(is_64: bool, little: bool) -> None:
    found = reader(handmade(is_64=is_64, little=little))
    assert found.encoding == Encoding(is_64=is_64, little_endian=little)
    assert (found.header.type, found.header.machine, found.header.phnum) == (3, 8, 2)
    assert found.segments() == [
        Segment(PT_LOAD, 5, 0, 0x10000, 0x10000, 0x400, 0x400, 1),
        Segment(PT_INTERP, 5, 0x300, 0x10300, 0x10300, 14, 14, 1),
    ]
    assert [(section.type, section.offset, section.size) for section in found.sections()[:2]] == [
        (0, 0, 0),
        (1, 0x100, 0x200),
    ]


@pytest.mark.parametrize(("is_64", "little"), ENCODINGS)
def test_what_is_read_is_written_the_same(is_64: bool, little: bool) -> None:
    data = handmade(is_64=is_64, little=little)
    found = reader(data)
    layout = found.encoding.header
    assert layout.pack(*found.header) == data[: layout.size]
    table = b"".join(found.encoding.section.pack(*section) for section in found.sections())
    assert data[found.header.shoff :] == table


def test_a_compiled_file_is_read_as_readelf_reads_it(tmp_path: Path) -> None:
    data = compile_c(LIBRARY, tmp_path / "lib.so", "-shared", "-fPIC").read_bytes()
    rows = re.findall(r"^  \w+ +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x(\w+) .*0x(\w+)$", readelf(data, "-l"), re.MULTILINE)
    assert [(each.offset, each.vaddr, each.filesz, each.memsz, each.align) for each in reader(data).segments()] == [
        tuple(int(number, 16) for number in row) for row in rows
    ]
    assert [(each.addr, each.offset, each.size, each.link) for each in reader(data).sections()] == [
        (row.address, row.offset, row.size, row.link) for row in section_rows(data)
    ]


def test_a_segment_s_span_is_what_the_file_has_bytes_for() -> None:
    assert Segment(PT_LOAD, 6, 0, 0x1000, 0x1000, 0x20, 0x500, 0x1000).span == (0x1000, 0x1020)


@pytest.mark.parametrize(("offset", "value"), [(4, 0), (4, 3), (5, 0), (5, 3)])
def test_a_class_or_byte_order_that_there_is_not_is_refused(offset: int, value: int) -> None:
    data = bytearray(handmade(is_64=True, little=True))
    data[offset] = value
    with pytest.raises(MalformedElfError, match="it is malformed: its class or its byte order"):
        reader(bytes(data))


def test_rows_of_another_size_are_refused() -> None:
    data = bytearray(handmade(is_64=True, little=True))
    data[54] = 57  # e_phentsize
    data[58] = 63  # e_shentsize
    found = reader(bytes(data))
    with pytest.raises(MalformedElfError, match="57 bytes instead of 56"):
        found.segments()
    with pytest.raises(MalformedElfError, match="63 bytes instead of 64"):
        found.sections()


@pytest.mark.parametrize(("is_64", "little"), ENCODINGS)
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(is_64: bool, little: bool) -> None:
    whole = handmade(is_64=is_64, little=little)
    segments, sections = reader(whole).segments(), reader(whole).sections()
    for size in range(len(whole)):
        try:
            found = reader(whole[:size])
            assert found.segments() == segments
            assert found.sections() == sections
        except MalformedElfError:
            continue
        raise AssertionError(size)  # the table of sections comes last


def test_a_file_that_ends_before_its_size_says_so() -> None:
    data = handmade(is_64=True, little=True)
    found = ElfReader(io.BytesIO(data), len(data) + 10)
    with pytest.raises(MalformedElfError, match=f"it ends before its {len(data) + 10} bytes are read"):
        found.at(len(data) - 5, 10)


def test_strings_end_with_a_zero() -> None:
    table = b"\0one\0two\0tail"
    assert [string_at(table, offset) for offset in (0, 1, 2, 5)] == [b"", b"one", b"ne", b"two"]
    for offset in (9, 50):
        with pytest.raises(MalformedElfError, match=f"no string at {offset} of a table of 13 bytes"):
            string_at(table, offset)
