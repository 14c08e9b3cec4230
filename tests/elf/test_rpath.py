"""What ELF files say of where to look for libraries, once they belong to a program that brings its own."""

from __future__ import annotations

import ctypes
import subprocess
from typing import TYPE_CHECKING

import pytest

from cannery.elf.constants import DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB, PT_DYNAMIC, PT_LOAD
from cannery.elf.dynamic import Elf, read_elf
from cannery.elf.outcome import Outcome, Refusal
from cannery.elf.rewrite import LoadedElf
from cannery.elf.rpath import confine_rpath, drop_absolute_rpath
from cannery.image.content import Inline, OnDisk
from tests.support.elf_files import ENCODINGS, LIBRARY, Handmade, Segment, compile_c, on_disk, read

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once


def library(folder: Path, *options: str) -> OnDisk:
    source, path = folder / "five.c", folder / "libfive.so"
    source.write_text("int five(void) { return 5; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", *options, "-o", path, source], check=True)
    return OnDisk(path, path.stat().st_size)


def after(content: OnDisk, folder: Path) -> Elf:
    """What the library says afterwards; it's still one that can be loaded."""
    path = folder / "relocated.so"
    with confine_rpath(content).content.open() as stream:
        path.write_bytes(stream.read())
    assert path.stat().st_size == content.size
    assert ctypes.CDLL(str(path)).five() == 5
    elf = read_elf(OnDisk(path, path.stat().st_size))
    assert elf is not None
    return elf


@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
def test_a_folder_of_the_machine_goes(tags: str, tmp_path: Path) -> None:
    elf = after(library(tmp_path, f"-Wl,{tags},-rpath,/opt/python/lib"), tmp_path)
    assert (elf.rpath, elf.runpath) == ((), ())


@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
def test_a_folder_beside_the_file_stays_and_hides_none_of_the_program_s(tags: str, tmp_path: Path) -> None:
    elf = after(library(tmp_path, f"-Wl,{tags},-rpath,$ORIGIN/../libs"), tmp_path)
    assert (elf.rpath, elf.runpath) == (("$ORIGIN/../libs",), ())


def test_what_asks_for_no_folder_is_left_as_it_is(tmp_path: Path) -> None:
    plain, text = library(tmp_path), Inline(b"text")
    assert confine_rpath(plain) == Outcome(plain)
    assert confine_rpath(text) == Outcome(text)


def test_an_object_file_has_no_search_path(tmp_path: Path) -> None:
    thing = on_disk(compile_c(LIBRARY, tmp_path / "twice.o", "-c"))
    assert confine_rpath(thing) == Outcome(thing)


def test_a_search_path_that_names_the_machine_too_goes_as_a_whole(tmp_path: Path) -> None:
    elf = after(library(tmp_path, "-Wl,-rpath,$ORIGIN:/opt/python/lib"), tmp_path)
    assert (elf.rpath, elf.runpath) == ((), ())


def test_where_both_are_told_only_the_one_that_counts_is_kept(tmp_path: Path) -> None:
    """Of two, a loader asks DT_RUNPATH alone."""
    made = library(tmp_path, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/new,-soname,lib.so")
    program = LoadedElf.read(read(made))
    program.set_tags({DT_RPATH: program.tag(DT_SONAME)})
    both = Inline(program.assembled())
    before, elf = read_elf(both), read_elf(confine_rpath(both).content)
    assert before is not None
    assert elf is not None
    assert (before.rpath, before.runpath) == (("lib.so",), ("$ORIGIN/new",))
    assert (elf.rpath, elf.runpath) == (("$ORIGIN/new",), ())


def test_a_damaged_file_says_why_it_stays(tmp_path: Path) -> None:
    program = LoadedElf.read(read(library(tmp_path, "-Wl,-rpath,/opt")))
    program.set_tags({DT_STRTAB: None})
    content = Inline(program.assembled())
    why = "it is malformed: its dynamic segment has no string table"
    assert confine_rpath(content) == Outcome(content, (Refusal("confine rpath", why),))


@pytest.mark.parametrize(("is_64", "little"), ENCODINGS)
def test_either_class_and_byte_order_is_changed(is_64: bool, little: bool) -> None:
    elf = Handmade(is_64=is_64, little=little, size=0x800)
    strings = b"\0$ORIGIN/x\0"
    entries = elf.dynamic((DT_RUNPATH, 1), (DT_STRTAB, 0x600), (DT_STRSZ, len(strings)), (0, 0))
    elf.segments = [Segment(PT_LOAD, 0, 0x800), Segment(PT_DYNAMIC, 0x400, len(entries), 0x400)]
    elf.contents = {0x400: entries, 0x600: strings}
    found = read_elf(confine_rpath(Inline(elf.build())).content)
    assert found is not None
    assert (found.rpath, found.runpath) == (("$ORIGIN/x",), ())


@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
@pytest.mark.parametrize(
    ("before", "left"),
    [
        ("/opt/python/lib", ()),
        ("$ORIGIN/../libs", ("$ORIGIN/../libs",)),
        ("$ORIGIN/../libs:/opt/python/lib", ("$ORIGIN/../libs",)),
        ("/opt/python/lib:$ORIGIN", ("$ORIGIN",)),
    ],
)
def test_absolute_folders_go_and_others_stay(tags: str, before: str, left: tuple[str, ...], tmp_path: Path) -> None:
    made = library(tmp_path, f"-Wl,{tags},-rpath,{before}")
    path = tmp_path / "moved.so"
    with drop_absolute_rpath(made).content.open() as stream:
        path.write_bytes(stream.read())
    elf = read_elf(OnDisk(path, path.stat().st_size))
    assert elf is not None
    assert (elf.runpath or elf.rpath) == left
    assert bool(elf.runpath) is bool(left and tags == "--enable-new-dtags")
    assert b"/opt/python" not in path.read_bytes()
    assert path.stat().st_size == made.size
    assert ctypes.CDLL(str(path)).five() == 5


def test_a_string_that_others_end_in_stays(tmp_path: Path) -> None:
    """Linkers let a symbol's name be the end of another string."""
    source, path = tmp_path / "lib.c", tmp_path / "lib.so"
    source.write_text("int lib(void) { return 5; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wl,-O2,-rpath,/opt/python/lib", "-o", path, source], check=True)
    with drop_absolute_rpath(OnDisk(path, path.stat().st_size)).content.open() as stream:
        (tmp_path / "moved.so").write_bytes(stream.read())
    assert ctypes.CDLL(str(tmp_path / "moved.so")).lib() == 5


def test_what_has_no_absolute_folder_is_left_as_it_is(tmp_path: Path) -> None:
    plain, text = library(tmp_path), Inline(b"text")
    assert drop_absolute_rpath(plain) == Outcome(plain)
    assert drop_absolute_rpath(text) == Outcome(text)
