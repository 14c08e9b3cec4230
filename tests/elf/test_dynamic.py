from __future__ import annotations

import io
import random
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import BinaryIO

import pytest

from cannery.elf.dynamic import Elf, read_elf
from cannery.image.content import Inline
from tests.support.elf_files import (
    ENCODINGS,
    LIBRARY,
    PROGRAM,
    PT_DYNAMIC,
    PT_INTERP,
    PT_LOAD,
    Handmade,
    Segment,
    compile_c,
    on_disk,
)

pytestmark = pytest.mark.once

STRINGS = b"\0libone.so.1\0libtwo.so\0$ORIGIN/../lib::/elsewhere\0me.so\0\xff.so\0"


def handmade(*, is_64: bool = True, little: bool = True, machine: int = 62, needed: bytes = b"libone.so.1") -> Handmade:
    """A shared library by hand: its dynamic segment at 0x400, its strings at 0x600 and the address 0x10600."""
    elf = Handmade(is_64=is_64, little=little, machine=machine, size=0x800)
    entries = elf.dynamic(
        (14, STRINGS.index(b"me.so")),
        (1, STRINGS.index(needed + b"\0")),
        (1, STRINGS.index(b"libtwo.so")),
        (29, STRINGS.index(b"$ORIGIN")),
        (5, 0x10600),
        (10, len(STRINGS)),
        (0, 0),
        (1, 9999),  # behind the end: nobody looks at it
    )
    elf.segments = [
        Segment(PT_LOAD, 0, 0x800, 0x10000),
        Segment(PT_INTERP, 0x300, 14, 0x10300),
        Segment(PT_DYNAMIC, 0x400, len(entries), 0x10400),
    ]
    elf.contents = {0x300: b"/lib/ld.so.1\0\0", 0x400: entries, 0x600: STRINGS}
    return elf


@pytest.mark.parametrize(("is_64", "little"), ENCODINGS)
def test_reads_either_class_and_byte_order(is_64: bool, little: bool) -> None:
    assert read_elf(Inline(handmade(is_64=is_64, little=little).build())) == Elf(
        is_64=is_64,
        little_endian=little,
        machine="EM_X86_64",
        interpreter="/lib/ld.so.1",
        soname="me.so",
        needed=("libone.so.1", "libtwo.so"),
        rpath=(),
        runpath=("$ORIGIN/../lib", "/elsewhere"),
    )


def test_a_program_names_its_interpreter_and_libraries(tmp_path: Path) -> None:
    elf = read_elf(on_disk(compile_c(PROGRAM, tmp_path / "program")))
    assert elf is not None
    assert elf.interpreter is not None
    assert Path(elf.interpreter).name.startswith("ld-")
    assert elf.needed == ("libc.so.6",)


def test_a_library_names_itself_and_its_needs(tmp_path: Path) -> None:
    compile_c(LIBRARY, tmp_path / "libtwice.so", "-shared", "-fPIC", "-Wl,-soname,libtwice.so.1")
    user = compile_c(
        "int twice(int); int four(int x) { return twice(twice(x)); }",
        tmp_path / "libfour.so",
        "-shared", "-fPIC", f"-L{tmp_path}", "-ltwice", "-Wl,--enable-new-dtags,-rpath,$ORIGIN:/there",
    )  # fmt: skip
    elf = read_elf(on_disk(user))
    assert elf is not None
    assert (elf.soname, elf.interpreter, elf.rpath) == (None, None, ())
    assert elf.needed[0] == "libtwice.so.1"
    assert elf.runpath == ("$ORIGIN", "/there")


def test_rpath_is_told_from_runpath(tmp_path: Path) -> None:
    flags = ("-shared", "-fPIC", "-Wl,--disable-new-dtags,-rpath,/there")
    elf = read_elf(on_disk(compile_c(LIBRARY, tmp_path / "lib.so", *flags)))
    assert elf is not None
    assert (elf.rpath, elf.runpath) == (("/there",), ())


@pytest.mark.parametrize("flags", [("-c",), ("-static", "-no-pie")], ids=["object", "static program"])
def test_what_no_loader_takes_part_in_is_none(tmp_path: Path, flags: tuple[str, ...]) -> None:
    assert read_elf(on_disk(compile_c(PROGRAM, tmp_path / "file", *flags))) is None


@pytest.mark.parametrize("offset", [0, 100, 10**9], ids=["absent", "nonsense", "beyond the end"])
def test_the_section_headers_do_not_matter(tmp_path: Path, offset: int) -> None:
    data = compile_c(PROGRAM, tmp_path / "program").read_bytes()
    assert read_elf(Inline(data[:40] + offset.to_bytes(8, "little") + data[48:])) == read_elf(Inline(data))


def installed_libraries() -> list[Path]:
    folders = [Path(sysconfig.get_path("stdlib"), "lib-dynload"), Path("/usr/lib"), Path("/usr/lib64")]
    found = (path for folder in folders for path in sorted(folder.rglob("*.so*")))
    return [path for path in found if path.is_file() and not path.is_symlink()][:300]


@pytest.mark.slow
def test_reads_what_readelf_reads_on_this_machines_libraries() -> None:
    paths = [path for path in installed_libraries() if path.read_bytes()[:4] == b"\x7fELF"]
    command = ["readelf", "--dynamic", "--wide", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = done.stdout.split("File: ")[1:]
    assert len(said) == len(paths) > 10
    for path, text in zip(paths, said, strict=True):
        elf = read_elf(on_disk(path))
        assert elf is not None, path
        assert elf.machine in {"EM_X86_64", "EM_386", "EM_AARCH64"}, path
        assert list(elf.needed) == re.findall(r"\(NEEDED\) .*\[(.*)\]", text), path
        assert [elf.soname] == (re.findall(r"\(SONAME\) .*\[(.*)\]", text) or [None]), path


def test_a_machine_without_a_name_is_told_by_its_number() -> None:
    elf = read_elf(Inline(handmade(machine=64_242).build()))
    assert elf is not None
    assert elf.machine == "EM_64242"


def test_a_name_that_is_not_utf8_survives() -> None:
    elf = read_elf(Inline(handmade(needed=b"\xff.so").build()))
    assert elf is not None
    assert elf.needed[0].encode("utf-8", "surrogateescape") == b"\xff.so"


class Recorded(io.BytesIO):
    """A stream that knows how many bytes were asked of it."""

    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.asked += len(self.getvalue()) if size is None or size < 0 else size
        return super().read(size)


class Watched:
    """Content whose reading is recorded."""

    def __init__(self, data: bytes) -> None:
        self.stream = Recorded(data)
        self.size = len(data)

    def open(self) -> BinaryIO:
        return self.stream


def test_four_bytes_are_read_of_a_file_that_is_not_elf() -> None:
    content = Watched(b"#!/bin/sh\n" * 1000)
    assert read_elf(content) is None
    assert content.stream.asked == 4


@pytest.mark.parametrize("data", [b"", b"\x7f", b"\x7fEL", b"\x7fELF", b"\x7fELF" + bytes(60), b"MZ" + bytes(99)])
def test_hardly_a_file_is_none(data: bytes) -> None:
    assert read_elf(Inline(data)) is None


def with_dynamic(*entries: tuple[int, int]) -> bytes:
    elf = handmade()
    elf.contents[0x400] = elf.dynamic(*entries, (0, 0))
    return elf.build()


@pytest.mark.parametrize(
    "data",
    [
        with_dynamic((1, 1)),
        with_dynamic((1, 1), (5, 0x10600)),
        with_dynamic((1, 1), (5, 0x99999), (10, len(STRINGS))),
        with_dynamic((1, 1), (5, 0x10600), (10, 10**9)),
        with_dynamic((1, 500), (5, 0x10600), (10, len(STRINGS))),
        with_dynamic((1, 1), (5, 0x10600), (10, 4)),
    ],
    ids=["no strings", "no size", "strings not loaded", "beyond the end", "name beyond the strings", "name cut off"],
)
def test_a_dynamic_segment_that_no_loader_takes_is_none(data: bytes) -> None:
    assert read_elf(Inline(data)) is None


def test_a_library_that_needs_nothing_is_read() -> None:
    elf = read_elf(Inline(with_dynamic()))
    assert elf is not None
    assert (elf.needed, elf.soname) == ((), None)


def test_a_file_cut_anywhere_is_read_or_none() -> None:
    whole = handmade().build()
    complete = read_elf(Inline(whole))
    assert {read_elf(Inline(whole[:size])) for size in range(len(whole))} <= {complete, None}


def test_a_file_with_wrong_bytes_never_raises(tmp_path: Path) -> None:
    data = compile_c(PROGRAM, tmp_path / "program").read_bytes()
    chance = random.Random(7)
    for _ in range(2000):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(4, 800)] = chance.randrange(256)
        read_elf(Inline(bytes(broken)))
