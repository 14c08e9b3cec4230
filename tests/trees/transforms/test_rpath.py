"""A tree's ELF files look for libraries beside themselves; what has no search path is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.elf.dynamic import read_elf
from cannery.image.content import Inline
from cannery.image.tree import Decision, File, Tree
from cannery.trees.transforms.rpath import confined
from tests.support.elf_files import LIBRARY, compile_c, on_disk

if TYPE_CHECKING:
    from pathlib import Path


def test_search_paths_are_confined_and_all_else_stays(tmp_path: Path) -> None:
    plain = on_disk(compile_c(LIBRARY, tmp_path / "plain.so", "-shared", "-fPIC"))
    searching = on_disk(compile_c(LIBRARY, tmp_path / "search.so", "-shared", "-fPIC", "-Wl,-rpath,/opt/lib"))
    text, broken = Inline(b"text"), Inline(b"\x7fELF and no more")
    tree = Tree({"/a.so": File(plain), "/b.so": File(searching), "/text": File(text), "/broken": File(broken)})
    after = tree | confined
    assert {path for path, file in after.files() if file.content is tree.entries[path].content} == {  # type: ignore[union-attr]
        "/a.so",
        "/text",
        "/broken",
    }
    elf = read_elf(dict(after.files())["/b.so"].content)
    assert elf is not None
    assert (elf.rpath, elf.runpath) == ((), ())
    assert [(each.path, each.tried) for each in after.decisions] == [("/broken", "confine rpath")]
    assert isinstance(after.decisions[0], Decision)
