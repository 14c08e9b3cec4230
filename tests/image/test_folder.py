"""Trees written into folders of this machine."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ImageError, MachineError
from cannery.image.content import Inline, OnDisk
from cannery.image.folder import merge_tree, replace_folder, set_aside, write_tree
from cannery.image.tree import Directory, File, Symlink, Tree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once


def text(data: bytes) -> File:
    return File(Inline(data))


def found(folder: Path) -> dict[str, str]:
    """The files and links below ``folder``, with their texts and targets."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_text()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_files_folders_and_links_are_written_with_the_files_modes(tmp_path: Path) -> None:
    run = File(Inline(b"#!"), 0o750)
    write_tree(Tree({"/bin/run": run, "/bin/go": Symlink("run"), "/empty": Directory()}), tmp_path / "new")
    assert found(tmp_path / "new") == {"bin/run": "#!", "bin/go": "run"}
    assert (tmp_path / "new/empty").is_dir()
    assert stat.S_IMODE((tmp_path / "new/bin/run").stat().st_mode) == 0o750


def test_only_what_lies_below_a_path_is_written(tmp_path: Path) -> None:
    tree = Tree({"/lib/site/a.py": text(b"a"), "/lib/site/b/c.py": text(b"c"), "/lib/site-other/d.py": text(b"d")})
    write_tree(tree, tmp_path, below="/lib/site")
    assert found(tmp_path) == {"a.py": "a", "b/c.py": "c"}


def test_a_file_on_disk_is_copied_or_gets_one_more_name(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("data")
    tree = Tree({"/file": File(OnDisk(source, 4), 0o600)})
    write_tree(tree, tmp_path / "copied")
    write_tree(tree, tmp_path / "linked", link=True)
    assert not (tmp_path / "copied/file").samefile(source)
    assert (tmp_path / "linked/file").samefile(source)
    assert source.read_text() == "data"


def test_a_file_that_can_t_have_one_more_name_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError

    source = tmp_path / "source"
    source.write_text("data")
    monkeypatch.setattr(os, "link", refused)
    write_tree(Tree({"/file": File(OnDisk(source, 4))}), tmp_path / "linked", link=True)
    assert (tmp_path / "linked/file").read_text() == "data"
    assert not (tmp_path / "linked/file").samefile(source)


def test_nothing_is_written_through_a_link_of_the_tree(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="/a/b lies below /a, which is a symlink"):
        write_tree(Tree({"/a": Symlink("/etc"), "/a/b": text(b"")}), tmp_path / "new")


def test_what_is_merged_replaces_what_has_its_name_and_leaves_the_rest(tmp_path: Path) -> None:
    write_tree(Tree({"/package/old.py": text(b"old"), "/other/kept.py": text(b"kept")}), tmp_path)
    merge_tree(Tree({"/package/new.pyc": text(b"new")}), tmp_path)
    assert found(tmp_path) == {"package/new.pyc": "new", "other/kept.py": "kept"}


def test_what_is_merged_replaces_every_form_of_a_module(tmp_path: Path) -> None:
    forms = ("m.py", "m.pyc", "m.cpython-311-x86_64-linux-gnu.so", "m.txt", "mm.py")
    write_tree(Tree({f"/{name}": text(b"old") for name in forms}), tmp_path)
    merge_tree(Tree({"/m.abi3.so": text(b"new")}), tmp_path)
    assert found(tmp_path) == {"m.abi3.so": "new", "m.txt": "old", "mm.py": "old"}


@pytest.mark.parametrize("before", ["nothing", "a folder", "a file", "a link"])
def test_a_folder_takes_the_place_of_whatever_was_there(tmp_path: Path, before: str) -> None:
    path = tmp_path / "dist" / "program"
    path.parent.mkdir()
    if before == "a folder":
        write_tree(Tree({"/old": text(b"old")}), path)
    elif before == "a file":
        path.write_text("old")
    elif before == "a link":
        path.symlink_to("/nowhere")
    replace_folder(Tree({"/new": text(b"new")}), path)
    assert found(path) == {"new": "new"}
    assert [each.name for each in path.parent.iterdir()] == ["program"]


def test_a_folder_that_can_t_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "program"
    write_tree(Tree({"/old": text(b"old")}), path)
    with pytest.raises(MachineError):
        replace_folder(Tree({"/new": File(OnDisk(tmp_path / "gone", 1))}), path)
    assert found(tmp_path) == {"program/old": "old"}


def test_what_was_set_aside_comes_back_where_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), set_aside(path):
        raise KeyboardInterrupt
    assert found(tmp_path) == {"program": "old"}
