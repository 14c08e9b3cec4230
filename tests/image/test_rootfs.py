"""A root filesystem is read as a process sees it that has no other root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.image.rootfs import Root

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root in which a folder has a file, a folder, links to both, and links to nothing."""
    folder = tmp_path / "data"
    (folder / "inner").mkdir(parents=True)
    (folder / "file").write_text("x")
    (folder / "inner" / "file").write_text("yy")
    (folder / "link").symlink_to("/data/inner/file")
    (folder / "to-folder").symlink_to("inner")
    (folder / "dangling").symlink_to("gone")
    (folder / "out").symlink_to("../../../../etc/passwd")
    (tmp_path / "linked").symlink_to("data")
    return Root(tmp_path)


def test_files_below_a_folder_are_files_and_links_to_files_of_the_root(root: Root) -> None:
    found = {path: content.path.relative_to(root.path).as_posix() for path, content in root.files_below("/data")}
    assert found == {"file": "data/file", "inner/file": "data/inner/file", "link": "data/inner/file"}


def test_a_folder_may_be_reached_by_a_link_and_parts_of_it_left_out(root: Root) -> None:
    assert sorted(path for path, _ in root.files_below("/linked", left_out={"inner", "link"})) == ["file"]
    assert list(root.files_below("/gone")) == []
    assert list(root.files_below("/data/file")) == []


def test_stamps_change_with_a_file_and_with_nothing_else(root: Root) -> None:
    before = root.stamps_below("/data")
    assert root.stamps_below("/data") == before
    (root.path / "data" / "inner" / "file").write_text("yyy")
    after = root.stamps_below("/data")
    assert {path for (path, old), (_, new) in zip(before, after, strict=True) if old != new} == {"inner/file"}
    (root.path / "data" / "more").write_text("")
    assert len(root.stamps_below("/data")) == len(before) + 1
