"""Stripping a tree: its ELF files get smaller, all else stays, and what stays for a reason is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.content import Inline
from cannery.image.tree import Decision, Directory, File, Symlink, Tree
from cannery.trees.transforms.strip import strip
from tests.support.elf_files import LIBRARY, compile_c, on_disk

if TYPE_CHECKING:
    from pathlib import Path


def test_a_tree_keeps_its_modes_owners_and_all_that_is_not_elf(tmp_path: Path) -> None:
    library = compile_c(LIBRARY, tmp_path / "libtwice.so", "-shared", "-fPIC")
    before = Tree(
        {
            "/lib/libtwice.so": File(on_disk(library), mode=0o750, uid=3, gid=4),
            "/lib/libtwice.so.1": Symlink("libtwice.so"),
            "/lib/readme": File(Inline(b"text")),
            "/lib/empty": Directory(0o700),
        }
    )
    after = before | strip
    changed = after.entries["/lib/libtwice.so"]
    assert isinstance(changed, File)
    assert (changed.mode, changed.uid, changed.gid) == (0o750, 3, 4)
    assert changed.content.size < library.stat().st_size
    assert {**after.entries, "/lib/libtwice.so": None} == {**before.entries, "/lib/libtwice.so": None}
    assert after.decisions == ()


def test_a_file_that_stays_says_why(tmp_path: Path) -> None:
    thing = on_disk(compile_c(LIBRARY, tmp_path / "twice.o", "-c"))
    after = Tree({"/twice.o": File(thing)}) | strip
    assert after.entries["/twice.o"] == File(thing)
    why = "it is an object file, whose symbols are what a linker reads"
    assert after.decisions == (Decision("/twice.o", "strip", why, thing.size),)
