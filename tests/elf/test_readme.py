"""The examples of the room's README, made anew."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cannery.elf
from cannery.elf import constants
from cannery.elf.constants import (
    DT_RELA,
    DT_RELACOUNT,
    DT_RELAENT,
    DT_RELASZ,
    DT_STRSZ,
    DT_STRTAB,
    DT_VERNEED,
    EM_X86_64,
    ET_DYN,
    PF_W,
    PT_DYNAMIC,
    PT_LOAD,
)
from cannery.elf.eh_frame import who_asks
from cannery.elf.headers import Segment
from cannery.elf.relr import pack_relocations
from cannery.elf.rewrite import LoadedElf
from cannery.elf.spans import Span
from cannery.elf.symbols import Symbols
from cannery.elf.versions import elf_hash

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.once

README = (Path(cannery.elf.__file__).parent / "README.md").read_text(encoding="utf-8")
STRINGS = b"\0libc.so.6\0GLIBC_2.2.5\0"
PLACES = (0x1E30, 0x1E38, 0x1E40, 0x1E60)
TAGS = (DT_STRTAB, DT_STRSZ, DT_VERNEED, DT_RELA, DT_RELASZ, DT_RELAENT, DT_RELACOUNT)


def example(name: str) -> str:
    """The block of the README that follows the comment ``name``."""
    found = re.search(rf"<!-- {name} -->\n\n```text\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def elf(size: int, segments: Iterable[Segment], contents: dict[int, bytes]) -> LoadedElf:
    data = bytearray(size)
    rows = [struct.pack("<IIQQQQQQ", *segment) for segment in segments]
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", ET_DYN, EM_X86_64, 1, 0, 64, 0, 0, 64, 56, len(rows), 64, 0, 0
    )
    for offset, content in {**contents, 0: header + b"".join(rows)}.items():
        data[offset : offset + len(content)] = content
    return LoadedElf.read(bytes(data))


def pointers() -> LoadedElf:
    """Four pointers at PLACES, with relocations in the long form."""
    need = struct.pack("<HHIII", 1, 1, STRINGS.index(b"libc"), 16, 0)
    version = struct.pack("<IHHII", elf_hash(b"GLIBC_2.2.5"), 0, 2, STRINGS.index(b"GLIBC"), 0)
    rows = b"".join(struct.pack("<QQq", place, 8, 0x1E90 + number) for number, place in enumerate(PLACES))
    values = (0x200, len(STRINGS), 0x220, 0x240, len(rows), 24, 4)
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in zip(TAGS, values, strict=True))
    segments = (
        Segment(PT_LOAD, 4, 0, 0, 0, 0x2E0, 0x2E0, 0x1000),
        Segment(PT_LOAD, 6, 0xD60, 0x1D60, 0x1D60, 0x138, 0x138, 0x1000),
        Segment(PT_DYNAMIC, 6, 0xD60, 0x1D60, 0x1D60, 0xD0, 0xD0, 8),
    )
    return elf(0xE98, segments, {0x200: STRINGS, 0x220: need + version, 0x240: rows, 0xD60: dynamic})


def told(program: LoadedElf) -> str:
    """The bytes from 0x200 on, and the dynamic segment."""
    data = program.assembled()
    lines = []
    for start in range(0x200, 0x2A0, 16):
        row = data[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:04x}  {row.hex(' ')}  {text}")
    names = {value: name for name, value in vars(constants).items() if name.startswith("DT_")}
    order = [
        each for name in ("STR", "VER", "REL") for each in program.dynamic if names[each[0]].startswith(f"DT_{name}")
    ]
    tags = "   ".join(f"{names[tag]} {value:#x}" for tag, value in order)
    return "\n".join([*lines, "", tags, ""])


def test_relocations_become_words_and_strings_reach_further() -> None:
    program = pointers()
    assert told(program) == example("before")
    assert pack_relocations(program)
    assert told(program) == example("after")
    values = [program.at_address(place, 8) for place in PLACES]
    assert [int.from_bytes(value, "little") for value in values] == [0x1E90, 0x1E91, 0x1E92, 0x1E93]


def laid(hole: Span | None) -> list[str]:
    """A column of the example of how a file is laid."""
    segments = (
        Segment(PT_LOAD, 4, 0, 0, 0, 0x52E0, 0x52E0, 0x1000),
        Segment(PT_LOAD, 6, 0x5D60, 0x6D60, 0x6D60, 0x138, 0x138, 0x1000),
        Segment(PT_DYNAMIC, 6, 0x5D60, 0x6D60, 0x6D60, 0x10, 0x10, 8),
        Segment(4, 4, 0x300, 0x300, 0x300, 0x24, 0x24, 4),  # the build ID, whose header makes room for another
    )
    note = struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes(20)
    program = elf(0x5E98, segments, {0x300: note})
    if hole:
        program.drop(hole)
    data = program.assembled()
    parts = list(LoadedElf.read(data).loaded())
    texts = [f"{part.vaddr:#x} to {part.span.stop:#x}, at {part.offset:#x}" for part in parts if not part.flags & PF_W]
    texts += [""] * (2 - len(texts))
    texts += [f"{part.vaddr:#x} to {part.span.stop:#x}, at {part.offset:#x}" for part in parts if part.flags & PF_W]
    title = f"{hole.start:#x} to {hole.stop:#x} dropped" if hole else "before"
    return [title, *texts, f"{len(data):#x} bytes"]


def test_what_follows_a_hole_moves_up_as_far_as_pages_allow() -> None:
    columns = [laid(None), laid(Span(0x600, 0x52E0)), laid(Span(0x600, 0x5100))]
    names = ["", "read-only", "", "to be written", "the file has"]
    rows = zip(names, *columns, strict=True)
    lines = [f"{name:25}{before:32}{end:32}{middle}".rstrip() for name, before, end, middle in rows]
    assert "\n".join([*lines, ""]) == example("layout")


def test_the_table_of_names_tells_of_those_that_count() -> None:
    section = README.partition("## Tables for exceptions")[2].partition("### What others may add later")[0]
    named = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    functions = [name for row in named[:-1] for name in re.findall(r"`([\w*]+)`", row)]
    assert len(functions) > 15
    for function in functions:
        name = function.replace("*", "_x" if function.endswith(("raise*", "_symbols*")) else "x").encode()
        if function.startswith(("__cxa_finalize", "__cxa_atexit", "__cxa_thread")) or function.endswith("_"):
            continue
        table = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 0, 0, 0)
        assert who_asks([], Symbols(table, b"\0" + name + b"\0")), function
    for library in re.findall(r"`([\w+*]+)`", named[-1]):
        assert who_asks([f"{library.replace('*', '-x')}.so.1"], None) == f"links to {library.replace('*', '-x')}.so.1"
