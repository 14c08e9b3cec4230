"""ELF files for tests: compiled ones, and ones made by hand to the byte."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import pytest

from cannery.elf.compact import compact_elf
from cannery.elf.rewrite import LoadedElf
from cannery.elf.strip import strip_elf
from cannery.image.content import Inline, OnDisk

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from cannery.image.content import Content

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
ENCODINGS = [(is_64, little) for is_64 in (True, False) for little in (True, False)]

LIBRARY = """
static int helper_that_is_only_a_symbol(int x) { return x * 2; }
int twice(int x) { return helper_that_is_only_a_symbol(x); }
"""
PROGRAM = """
#include <stdio.h>
static const char *words[] = {"hello", "from", "C"};
static int symbol_of_a_program(void) { for (int i = 0; i < 3; i++) puts(words[i]); return 7; }
int main(void) { return symbol_of_a_program(); }
"""
POINTERS = "const char *text[3000] = {" + ",".join(f'"{number}"' for number in range(3000)) + "};"
WITH_POINTERS = f"""
#include <stdlib.h>
#include <string.h>
{POINTERS}
int one(void) {{ return 1; }}
int two(void) {{ return 2; }}
int (*calls[])(void) = {{one, two, one, two, one, two, one, two}};
int sum(void) {{ int all = 0; for (int i = 0; i < 3000; i++) all += atoi(text[i]); return all; }}
int call(int number) {{ return calls[number](); }}
"""


def compile_c(source: str, target: Path, *flags: str) -> Path:
    """Compile a program, or whatever ``flags`` ask for; they may name libraries."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-g", "-xc", "-", "-xnone", "-o", str(target), *flags]
    subprocess.run(command, input=source, text=True, check=True)
    return target


def compile_cpp(source: str, target: Path, *flags: str) -> Path:
    """The same in C++, with none of the libraries that it doesn't use."""
    command = ["g++", "-xc++", "-", "-xnone", "-o", str(target), "-Wl,--as-needed", *flags]
    subprocess.run(command, input=source, text=True, check=True)
    return target


def compile_for(target: str, source: str, made: Path, *flags: str) -> Path:
    """Compile C by Zig, whose linker is lld, for the platform that it calls ``target``."""
    pytest.importorskip("ziglang")
    text = made.with_suffix(".c")
    text.write_text(source)
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, *flags, "-o", str(made), str(text)]
    subprocess.run(command, check=True, env={"HOME": str(made.parent), "PATH": "/usr/bin:/bin"})
    return made


def loaded(path: Path) -> LoadedElf:
    """A file taken apart."""
    return LoadedElf.read(path.read_bytes())


def on_disk(path: Path) -> OnDisk:
    return OnDisk(path, path.stat().st_size)


def read(content: Content) -> bytes:
    with content.open() as stream:
        return stream.read()


def write(content: Content, target: Path) -> Path:
    target.write_bytes(read(content))
    target.chmod(0o755)
    return target


def stripped(path: Path) -> bytes:
    return read(strip_elf(on_disk(path)).content)


def compacted(data: bytes, *, relr: bool = True, keep_eh_frame: bool = False, own: Collection[bytes] = ()) -> bytes:
    return read(compact_elf(Inline(data), relr=relr, keep_eh_frame=keep_eh_frame, own=own).content)


class SectionRow(NamedTuple):
    """A row of the section header table, as readelf reads it."""

    name: str
    kind: str  # PROGBITS
    address: int
    offset: int
    size: int
    link: int
    info: int


_ROW = re.compile(
    r"\s+\[\s*\d+\] (\S*)\s+(\w+)\s+([\da-f]+) ([\da-f]+) ([\da-f]+) [\da-f]+\s+[A-Za-z]*\s+(\d+)\s+(\d+)\s+\d+"
)


def readelf(data: bytes, *options: str) -> str:
    """What binutils' readelf, which shares no code with ours, says of a file."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        done = subprocess.run(["readelf", "-W", *options, file.name], capture_output=True, text=True, check=True)
    return done.stdout


def section_rows(data: bytes) -> list[SectionRow]:
    """All rows in order, so that a row's place in the list is its section's number."""
    found = (_ROW.fullmatch(line) for line in readelf(data, "--section-headers").splitlines())
    matches = (match.groups() for match in found if match)
    return [
        SectionRow(name, kind, int(address, 16), int(offset, 16), int(size, 16), int(link), int(info))
        for name, kind, address, offset, size, link, info in matches
    ]


def sections(data: bytes) -> list[str]:
    return [row.name for row in section_rows(data) if row.kind != "NULL"]


def complaints(path: Path) -> set[str]:
    """What readelf finds wrong."""
    done = subprocess.run(["readelf", "-aW", str(path)], capture_output=True, text=True, check=True)
    return {line for line in (done.stdout + done.stderr).splitlines() if "readelf:" in line}


@dataclass
class Segment:
    kind: int
    offset: int
    size: int
    address: int = 0


@dataclass
class Section:
    name: str
    kind: int  # 1 PROGBITS, 2 SYMTAB, 3 STRTAB
    flags: int  # 2 ALLOC
    offset: int
    size: int
    link: int = 0
    info: int = 0
    entsize: int = 0


@dataclass
class Handmade:
    """An ELF file of ``size`` bytes: segments, sections, contents at their offsets; the tables come last."""

    is_64: bool = True
    little: bool = True
    kind: int = 3  # ET_DYN
    machine: int = 62
    size: int = 0x2000
    segments: list[Segment] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    contents: dict[int, bytes] = field(default_factory=dict)

    def pack(self, wide: str, narrow: str, *values: int | bytes) -> bytes:
        return struct.pack(("<" if self.little else ">") + (wide if self.is_64 else narrow), *values)

    def dynamic(self, *entries: tuple[int, int]) -> bytes:
        return b"".join(self.pack("qQ", "iI", *entry) for entry in entries)

    def build(self) -> bytes:
        names = b"\0" + b"".join(section.name.encode() + b"\0" for section in self.sections) + b".shstrtab\0"
        all_sections = [Section("", 0, 0, 0, 0), *self.sections, Section(".shstrtab", 3, 0, self.size, len(names))]
        table = b"".join(self._section(section, names) for section in all_sections) if self.sections else b""
        data = bytearray(self.size) + (names if table else b"")
        data += bytes(-len(data) % 8)
        header = self._header(len(data) if table else 0, len(all_sections) if table else 0)
        programs = b"".join(map(self._segment, self.segments))
        for offset, content in {**self.contents, 0: header + programs}.items():
            data[offset : offset + len(content)] = content
        return bytes(data + table)

    def _header(self, shoff: int, shnum: int) -> bytes:
        ident = b"\x7fELF" + bytes([1 + self.is_64, 2 - self.little, 1]) + bytes(9)
        ehsize, phentsize, shentsize = (64, 56, 64) if self.is_64 else (52, 32, 40)
        return self.pack(
            "16sHHIQQQIHHHHHH", "16sHHIIIIIHHHHHH", ident, self.kind, self.machine, 1, 0x1000, ehsize, shoff, 0,
            ehsize, phentsize, len(self.segments), shentsize, shnum, max(0, shnum - 1),
        )  # fmt: skip

    def _segment(self, segment: Segment) -> bytes:
        where = (segment.offset, segment.address, segment.address, segment.size, segment.size)
        return (
            self.pack("IIQQQQQQ", "", segment.kind, 5, *where, 1)
            if self.is_64
            else self.pack("", "IIIIIIII", segment.kind, *where, 5, 1)
        )

    def _section(self, section: Section, names: bytes) -> bytes:
        return self.pack(
            "IIQQQQIIQQ", "IIIIIIIIII", names.index(section.name.encode() + b"\0"), section.kind, section.flags,
            section.offset if section.flags else 0, section.offset, section.size, section.link, section.info, 1,
            section.entsize,
        )  # fmt: skip
