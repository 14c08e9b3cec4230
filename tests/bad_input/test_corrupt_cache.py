"""A cache that was damaged: what is missing is made anew, and nothing damaged goes into an image."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from cannery import __version__
from tests.bad_input.command import assert_refused, assert_whole, cannery, image_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MakeProject


def truncate_blobs(root: Path) -> None:
    for path in (root / "blobs" / "sha256").iterdir():
        os.truncate(path, path.stat().st_size // 2)


def remove_blobs(root: Path) -> None:
    shutil.rmtree(root / "blobs")


def write_garbage_into_records(root: Path) -> None:
    for number, path in enumerate(sorted(root.glob("*/*.record"))):
        path.write_bytes((b"", b"\0\xff garbage", b"{}", b"[]\n[]", path.read_bytes()[:-1])[number % 5])


def remove_the_dependencies(root: Path) -> None:
    shutil.rmtree(root / "dependencies")
    shutil.rmtree(root / "layers")


def remove_one_file_of_the_dependencies(root: Path) -> None:
    next(root.glob("dependencies/*/tin.py")).unlink()
    shutil.rmtree(root / "layers")


def truncate_one_file_of_the_dependencies(root: Path) -> None:
    path = next(root.glob("dependencies/*/tin_data/big.bin"))
    data = path.read_bytes()
    path.unlink()  # it may be a link to uv's own
    path.write_bytes(data[:1000])
    shutil.rmtree(root / "layers")


def empty_bytecode(root: Path) -> None:
    for path in list(root.glob("bytecode/*/*"))[::10]:
        os.truncate(path, 0)
    shutil.rmtree(root / "layers")


def leave_things_behind(root: Path) -> None:
    (root / "tmp" / "0123456789abcdef").mkdir()
    (root / "tmp" / "0123456789abcdef" / "blob").write_text("half")
    (root / "tmp" / "fedcba9876543210.lock").touch()
    shutil.rmtree(root / "layers")


@pytest.mark.parametrize(
    "damage",
    [
        truncate_blobs,
        remove_blobs,
        write_garbage_into_records,
        remove_the_dependencies,
        remove_one_file_of_the_dependencies,
        truncate_one_file_of_the_dependencies,
        empty_bytecode,
        leave_things_behind,
    ],
)
def test_what_is_damaged_is_made_anew(make_project: MakeProject, cache: Path, damage: Callable[[Path], None]) -> None:
    folder = make_project({"main.py": "import tin", "requirements.txt": "tin"})
    right = image_digest(folder, CANNERY_CACHE=str(cache))
    damage(cache / __version__)
    shutil.rmtree(folder / "dist")
    assert image_digest(folder, CANNERY_CACHE=str(cache)) == right
    assert_whole(folder, cache)


def test_a_blob_with_other_bytes_is_refused_and_made_anew(make_project: MakeProject, cache: Path) -> None:
    folder = make_project({"main.py": ""})
    right = image_digest(folder, CANNERY_CACHE=str(cache))
    blob = max((cache / __version__ / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    shutil.rmtree(folder / "dist")
    message = assert_refused(cannery("image", cwd=folder, CANNERY_CACHE=str(cache)), 8)
    assert f"in {blob}" in message
    assert not list((folder / "dist").glob("*"))
    assert image_digest(folder, CANNERY_CACHE=str(cache)) == right
    assert_whole(folder, cache)


def test_an_archive_that_was_damaged_is_written_again(make_project: MakeProject) -> None:
    folder = make_project({"main.py": ""})
    image_digest(folder)
    os.truncate(folder / "dist" / "project.tar", 1000)
    image_digest(folder)
    assert_whole(folder)


def test_what_a_killed_build_left_beside_the_archive_is_removed(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "", "dist/.project.tar.0123456789ab": "half", "dist/.other.tar": "mine"})
    image_digest(folder)
    assert {path.name for path in (folder / "dist").iterdir()} == {"project.tar", ".other.tar"}


@pytest.mark.parametrize("make", ["file", "link to itself"])
def test_a_cache_that_is_no_folder_is_named(make_project: MakeProject, tmp_path: Path, make: str) -> None:
    folder, cache = make_project({"main.py": ""}), tmp_path / "cache"
    cache.write_text("") if make == "file" else cache.symlink_to("cache")
    message = assert_refused(cannery("image", cwd=folder, CANNERY_CACHE=str(cache)), 6)
    assert str(cache) in message
