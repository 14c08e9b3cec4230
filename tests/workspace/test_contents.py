"""Names for what files hold: the same wherever the files lie, whenever they were written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cannery.workspace.cache import Cache
from cannery.workspace.contents import contents_key
from cannery.workspace.files import stamp

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once


def key(folder: Path, cache: Cache) -> str:
    return contents_key(((path.name, path, stamp(path)) for path in folder.iterdir()), cache)


def test_places_and_times_take_no_part_and_contents_and_names_do(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    keys = []
    for number, text in enumerate((b"tin", b"tin", b"ore")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "a").write_bytes(text)
        (folder / "link").symlink_to("a")
        (folder / "nowhere").symlink_to("nothing")
        os.utime(folder / "a", (number, number))
        keys.append(key(folder, cache))
    assert keys[0] == keys[1] != keys[2]
    (tmp_path / "1/a").rename(tmp_path / "1/b")
    assert key(tmp_path / "1", cache) != keys[0]


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"tin")
    cache = Cache(tmp_path / "cache")
    found = contents_key([("a", path, 1)], cache)
    path.unlink()
    assert contents_key([("a", path, 1)], cache) == found
    assert contents_key([("a", path, 2)], cache) != found
