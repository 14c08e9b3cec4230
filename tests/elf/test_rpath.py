"""What ELF files say of where to look for libraries, once they belong to a program that brings its own."""

from __future__ import annotations

import ctypes
import subprocess
from typing import TYPE_CHECKING

import pytest

from cannery.elf.dynamic import Elf, read_elf
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import File, Tree
from cannery.trees.transforms.rpath import relocated, relocated_elf

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
    with relocated_elf(content).open() as stream:
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
    tree = relocated(Tree({"/lib.so": File(plain), "/text": File(text)}))
    assert tree.entries["/lib.so"] == File(plain)
    assert tree.entries["/text"] == File(text)
