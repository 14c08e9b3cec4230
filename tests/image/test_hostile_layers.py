"""Layers that would reach out of their image."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ImageError
from cannery.image.extraction import unpack
from tests.support.layers import device, directory, fifo, file, hard_link, layer, symlink

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.layers import Member


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder with a file beside it that nothing may touch."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("as it was")
    into = tmp_path / "root"
    into.mkdir()
    return into


HOSTILE: dict[str, list[Member]] = {
    "an absolute name": [file("/outside/precious")],
    "a name that climbs": [file("a/../../outside/precious")],
    "a name that ends with a climb": [directory("a/..")],
    "a name that is a climb": [file("..")],
    "a whiteout of the parent": [file("a/.wh...")],
    "a whiteout of its folder": [file("a/.wh..")],
    "a whiteout of nothing": [file("a/.wh.")],
    "a file behind a link that climbs": [symlink("a", "../outside"), file("a/precious")],
    "a file behind an absolute link": [symlink("a", "{outside}"), file("a/precious")],
    "a file behind a link to a link": [symlink("a", "b"), symlink("b", "../outside"), file("a/precious")],
    "a folder behind a link": [symlink("a", "../outside"), directory("a/new")],
    "a link behind a link": [symlink("a", "../outside"), symlink("a/precious", "x")],
    "a whiteout behind a link": [symlink("a", "../outside"), file("a/.wh.precious")],
    "an opaque whiteout behind a link": [symlink("a", "../outside"), file("a/.wh..wh..opq")],
    "a hard link to an absolute name": [hard_link("a", "{outside}/precious")],
    "a hard link that climbs": [hard_link("a", "../outside/precious")],
    "a hard link through a link": [symlink("a", "../outside"), hard_link("b", "a/precious")],
    "a hard link to nothing": [hard_link("a", "b")],
    "a hard link to a folder": [directory("a"), hard_link("b", "a")],
    "a hard link to itself": [file("a"), hard_link("a", "./a")],
    "a hard link in place of its folder": [file("a/b"), hard_link("a", "a/b")],
    "a loop of links": [symlink("a", "b"), symlink("b", "a"), file("a/x")],
    "a disk": [device("dev/sda")],
    "a device that every container has, elsewhere": [device("srv/null", 1, 3, kind=tarfile.CHRTYPE)],
    "a device that gives away the memory": [device("dev/mem", 1, 1, kind=tarfile.CHRTYPE)],
    "a FIFO": [fifo("run/pipe")],
    "a file below a file": [file("a"), file("a/b")],
    "a link to nowhere": [symlink("a", "")],
    "a time that can't be": [file("a", mtime=10**300)],
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_layer_is_refused_by_name_and_touches_nothing_outside(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outside = tmp_path / "outside"
    for info, _ in HOSTILE[case]:
        info.linkname = info.linkname.replace("{outside}", str(outside))

    with pytest.raises(ImageError, match="layer 'app'") as caught:
        unpack([layer(tmp_path, *HOSTILE[case])], root)

    assert HOSTILE[case][-1][0].name.split("/")[-1] in str(caught.value)
    assert [path.name for path in outside.iterdir()] == ["precious"]
    assert (outside / "precious").read_text() == "as it was"
    assert (outside / "precious").stat().st_nlink == 1
