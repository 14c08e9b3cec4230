"""Files taken apart and put together: addresses stay, gaps close, pages stay pages."""

from __future__ import annotations

import ctypes
import io
import platform
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from cannery.elf.constants import (
    DT_NULL,
    DT_RELASZ,
    DT_STRTAB,
    PF_W,
    PT_DYNAMIC,
    PT_GNU_EH_FRAME,
    PT_INTERP,
    PT_LOAD,
    PT_NOTE,
)
from cannery.elf.headers import ElfError, ElfReader, MalformedElfError, UnsupportedElfError
from cannery.elf.rewrite import LoadedElf
from cannery.elf.sections import SectionTable
from cannery.elf.spans import Span
from tests.support.elf_files import PROGRAM, compile_c, compile_for, loaded, section_rows, stripped

if TYPE_CHECKING:
    from pathlib import Path

PAGE = 4096
SHARED = ("-shared", "-fPIC", "-O1")
LARGE = """
const char before[6000] = {1, 2, 3};
const char hole[40000] = {4, 5, 6};
const char after[6000] = {7, 8, 9};
int get(int place) { return (place < 3 ? before : after - 3)[place]; }
"""

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="for two processors"),
]


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A library whose read-only data have pages to spare in the middle."""
    return stripped(compile_c(LARGE, tmp_path_factory.mktemp("large") / "lib.so", *SHARED, "-Wl,--build-id"))


@pytest.fixture
def large(large_file: bytes) -> LoadedElf:
    return LoadedElf.read(large_file)


def hole_of(program: LoadedElf) -> Span:
    start = program.data.index(b"\x04\x05\x06" + bytes(100))
    segment = next(each for each in program.loaded() if each.offset <= start < each.offset + each.filesz)
    return Span.sized(start - segment.offset + segment.vaddr, 40000)


def check(before: LoadedElf, after: LoadedElf) -> None:
    """What holds of every file that was put together."""
    for part in after.loaded():
        assert (part.offset - part.vaddr) % max(part.align, PAGE) == 0
        home = before.segment_of(part.span)
        assert home is not None
        assert home.flags == part.flags
    assert [part.vaddr for part in after.loaded()] == sorted(part.vaddr for part in after.loaded())
    for header in after.segments:
        if header.filesz and header.type != PT_LOAD:
            assert after.segment_of(header.span), header
            assert after.at(header.span) == after.data[header.offset : header.offset + header.filesz]
    kinds = [header.type for header in after.segments]
    assert PT_INTERP not in kinds[kinds.index(PT_LOAD) :]


def test_a_file_with_nothing_dropped_keeps_every_address(large: LoadedElf, tmp_path: Path) -> None:
    after = LoadedElf.read(large.assembled())
    check(large, after)
    assert [part.span for part in after.loaded()] == [part.span for part in large.loaded()]
    (tmp_path / "lib.so").write_bytes(large.assembled())
    found = ctypes.CDLL(str(tmp_path / "lib.so"))
    assert [found.get(place) for place in range(6)] == [1, 2, 3, 7, 8, 9]


def test_pages_in_the_middle_of_a_segment_make_it_two(large: LoadedElf, tmp_path: Path) -> None:
    parts, size = len(list(large.loaded())), len(large.assembled())
    hole = hole_of(large)
    large.drop(hole)
    data = large.assembled()
    after = LoadedElf.read(data)
    check(large, after)
    assert len(list(after.loaded())) == parts + 1
    assert size - 40000 - PAGE < len(data) < size - 40000 + 2 * PAGE
    assert after.segment_of(Span.sized(hole.start + PAGE, 1)) is None  # nothing is mapped there
    (tmp_path / "lib.so").write_bytes(data)
    found = ctypes.CDLL(str(tmp_path / "lib.so"))
    assert [found.get(place) for place in range(6)] == [1, 2, 3, 7, 8, 9]


def test_a_hole_without_a_page_of_its_own_stays(large: LoadedElf) -> None:
    before = large.assembled()
    large.drop(Span.sized(hole_of(large).start, PAGE - 1))
    assert large.assembled() == before


def test_the_end_of_a_segment_may_end_anywhere(large: LoadedElf) -> None:
    segment = next(
        each for each in large.loaded() if not each.flags & PF_W and large.segment_of(hole_of(large)) != each
    )
    large.drop(Span(segment.span.stop - 5, segment.span.stop))
    after = LoadedElf.read(large.assembled())
    assert next(each for each in after.loaded() if each.vaddr == segment.vaddr).filesz == segment.filesz - 5


def test_a_segment_with_zeros_behind_it_stays_whole(tmp_path: Path) -> None:
    source = "char zeros[100000]; char data[20000] = {1}; int get(void) { return data[0] + zeros[5]; }"
    program = loaded(compile_c(source, tmp_path / "lib.so", *SHARED))
    segment = next(each for each in program.loaded() if each.memsz > each.filesz)
    program.drop(Span(segment.span.stop - 2 * PAGE, segment.span.stop))
    after = LoadedElf.read(program.assembled())
    assert next(each for each in after.loaded() if each.vaddr == segment.vaddr)[3:] == segment[3:]


def test_the_header_that_only_debuggers_want_makes_room_for_another(large: LoadedElf) -> None:
    notes = [each for each in large.segments if each.type == PT_NOTE]
    assert notes
    after = LoadedElf.read(large.assembled())
    assert len(after.segments) < len(large.segments)
    assert after.at(notes[0].span) == large.at(notes[0].span)  # what it told of is still there


def test_another_note_keeps_its_header(tmp_path: Path) -> None:
    source = '__asm__(".section .note.mine, \\"a\\", %note; .long 4, 4, 9; .asciz \\"ABC\\"; .long 5");'
    program = loaded(compile_c(source, tmp_path / "lib.so", *SHARED, "-Wl,--build-id=none"))
    after = LoadedElf.read(program.assembled())
    notes = [after.at(each.span) for each in after.segments if each.type == PT_NOTE]
    assert any(b"ABC\0" in note for note in notes)


def test_a_note_that_is_none_keeps_its_header(large: LoadedElf) -> None:
    place = next(number for number, each in enumerate(large.segments) if each.type == PT_NOTE)
    short = large.segments[place]._replace(filesz=7, memsz=7)
    large.segments[place] = short
    after = LoadedElf.read(large.assembled())
    assert [each.filesz for each in after.segments if each.type == PT_NOTE and each.vaddr == short.vaddr] == [7]


def test_the_header_of_tables_goes_with_them(large: LoadedElf) -> None:
    header = next(each for each in large.segments if each.type == PT_GNU_EH_FRAME)
    large.drop(header.span)
    assert PT_GNU_EH_FRAME not in {each.type for each in LoadedElf.read(large.assembled()).segments}


def test_something_that_lost_a_part_can_t_be_put_together(large: LoadedElf) -> None:
    header = next(each for each in large.segments if each.type == PT_GNU_EH_FRAME)
    hole = hole_of(large)
    large.segments = [
        each._replace(vaddr=hole.start, offset=0, filesz=hole.size) if each is header else each
        for each in large.segments
    ]
    large.drop(Span(hole.start, hole.stop - 1))
    with pytest.raises(MalformedElfError, match="isn't loaded as a whole"):
        large.assembled()


def test_sections_are_listed_where_they_lie_now(large: LoadedElf) -> None:
    data = bytes(large.data)
    table = SectionTable.read(ElfReader(io.BytesIO(data), len(data)))
    large.drop(hole_of(large))
    result = large.assembled(table)
    rows = {row.name: row for row in section_rows(result)}
    text = rows[".text"]
    assert large.at_address(text.address, text.size) == result[text.offset : text.offset + text.size]
    assert ".rodata" not in rows  # which lost a part
    assert len(result) < len(data) - 30000


def test_entries_of_the_dynamic_segment_change_come_and_go(large: LoadedElf) -> None:
    spare = large.spare_tags
    assert spare > 0
    strings = large.tag(DT_STRTAB)
    large.set_tags({DT_RELASZ: None, 0x6FFFFEF0: 17, DT_STRTAB: 5})
    assert (large.tag(DT_RELASZ), large.tag(0x6FFFFEF0), large.tag(DT_STRTAB)) == (None, 17, 5)
    assert large.spare_tags == spare
    large.set_tags({DT_STRTAB: strings})
    after = LoadedElf.read(large.assembled())
    assert after.dynamic == large.dynamic
    place = next(each for each in after.segments if each.type == PT_DYNAMIC)
    ends = struct.unpack_from("<qQ", after.at(place.span), 16 * len(after.dynamic))
    assert ends == (DT_NULL, 0)


def test_bytes_are_read_and_written_by_address(large: LoadedElf) -> None:
    hole = hole_of(large)
    large.write(hole.start, b"abc")
    assert large.at_address(hole.start, 4) == b"abc\0"
    with pytest.raises(MalformedElfError, match="no segment has all of"):
        large.at(Span(hole.start, hole.start + 10**9))
    with pytest.raises(MalformedElfError, match="no segment has all of"):
        large.write(10**12, b"x")


@pytest.mark.slow
@pytest.mark.parametrize("pages", ["4096", "65536"])
@pytest.mark.parametrize("target", ["x86_64-linux-gnu", "aarch64-linux-gnu"])
def test_offsets_follow_addresses_whatever_the_size_of_pages(tmp_path: Path, target: str, pages: str) -> None:
    made = compile_for(target, LARGE, tmp_path / "lib.so", *SHARED, f"-Wl,-z,max-page-size={pages}")
    program = LoadedElf.read(stripped(made))
    program.drop(hole_of(program))
    after = LoadedElf.read(program.assembled())
    check(program, after)
    assert {part.align for part in after.loaded()} == {int(pages)}


def test_a_program_still_runs(tmp_path: Path) -> None:
    program = loaded(compile_c(PROGRAM, tmp_path / "program"))
    check(program, LoadedElf.read(program.assembled()))
    small = tmp_path / "small"
    small.write_bytes(program.assembled())
    small.chmod(0o755)
    done = subprocess.run([str(small)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "hello\nfrom\nC\n")


def patched(data: bytes, offset: int, layout: str, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(layout, changed, offset, value)
    return bytes(changed)


@pytest.mark.parametrize(
    ("offset", "layout", "value", "why"),
    [
        (4, "B", 1, "32 bits"),  # the class
        (5, "B", 2, "high byte first"),  # the byte order
        (16, "<H", 1, "neither a program nor a shared library"),  # the type
        (18, "<H", 243, "it is for EM_RISCV, and only EM_X86_64 and EM_AARCH64 are known"),  # the machine
        (32, "<Q", 128, "do not follow its header"),  # where the program headers are
        (54, "<H", 64, "do not follow its header"),  # the size of one
        (64, "<I", 0x70000001, "does not begin with the file's headers"),  # the type of the first, a PT_LOAD
        (56, "<H", 1, "no dynamic segment"),  # how many program headers
    ],
)
def test_a_file_that_can_t_be_taken_apart_says_why(
    large: LoadedElf, offset: int, layout: str, value: int, why: str
) -> None:
    with pytest.raises(UnsupportedElfError, match=why):
        LoadedElf.read(patched(bytes(large.data), offset, layout, value))


@pytest.mark.parametrize(
    ("offset", "layout", "value", "why"),
    [
        (56, "<H", 0xFFFF, "its program headers lie outside the file"),
        (64 + 32, "<Q", 10**9, "a segment lies outside the file"),  # filesz of the first
        (0, "<I", 0, "it has no whole header"),
    ],
)
def test_a_damaged_file_says_so(large: LoadedElf, offset: int, layout: str, value: int, why: str) -> None:
    with pytest.raises(MalformedElfError, match=f"it is malformed: {why}"):
        LoadedElf.read(patched(bytes(large.data), offset, layout, value))


def test_a_file_cut_before_its_end_is_not_taken_apart(large: LoadedElf) -> None:
    whole = bytes(large.data)
    end = max(each.offset + each.filesz for each in large.segments)
    for size in range(0, end, 97):
        with pytest.raises(ElfError):
            LoadedElf.read(whole[:size])
