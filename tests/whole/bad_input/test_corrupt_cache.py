"""A cache that was damaged: what is missing is made anew, and nothing damaged goes into an image."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from cannery import __version__
from tests.support.command import Outcome, assert_refused, assert_whole, cannery, image_digest
from tests.support.wheels import only_from
from tests.whole.bad_input.conftest import FAST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@dataclass(frozen=True)
class BuiltProject:
    """A project, and a cache that has seen its build."""

    folder: Path
    cache: Path
    digest: str
    layers: dict[str, str]  # names and digests

    @property
    def root(self) -> Path:
        return self.cache / __version__

    def blob(self, layer: str) -> Path:
        return self.root / "blobs" / "sha256" / self.layers[layer].removeprefix("sha256:")

    def build(self) -> Outcome:
        return cannery("image", "--json", cwd=self.folder, CANNERY_CACHE=str(self.cache))


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, prepared: Path, index: Path) -> BuiltProject:
    """The project that's built once, and copied for each test."""
    folder, cache = tmp_path_factory.mktemp("once") / "project", tmp_path_factory.mktemp("once") / "cache"
    folder.mkdir()
    (folder / "main.py").write_text("import tin\n")
    (folder / "requirements.txt").write_text("tin\n")
    for name in ("bytecode", "blobs", "layers"):
        shutil.copytree(prepared / __version__ / name, cache / __version__ / name, symlinks=True)
    report = cannery("image", "--json", cwd=folder, CANNERY_CACHE=str(cache), **only_from(index), **FAST).report
    return BuiltProject(folder, cache, report["digest"], {each["name"]: each["digest"] for each in report["layers"]})


@pytest.fixture
def built(once: BuiltProject, tmp_path: Path) -> BuiltProject:
    """The project with a cache that may be damaged."""
    shutil.copytree(once.cache, tmp_path / "cache", symlinks=True)
    shutil.copytree(once.folder, tmp_path / "project", ignore=shutil.ignore_patterns("dist"))
    return replace(once, folder=tmp_path / "project", cache=tmp_path / "cache")


def truncate_a_blob(built: BuiltProject) -> None:
    os.truncate(built.blob("runtime"), 100_000)


def remove_the_blobs(built: BuiltProject) -> None:
    shutil.rmtree(built.root / "blobs")


def write_garbage_into_records(built: BuiltProject) -> None:
    for number, path in enumerate(sorted(built.root.glob("*/*.record"))):
        path.write_bytes((b"", b"\0\xff garbage", b"{}", b"[]\n[]", path.read_bytes()[:-1])[number % 5])


def remove_the_dependencies(built: BuiltProject) -> None:
    shutil.rmtree(built.root / "dependencies")
    built.blob("dependencies").unlink()


def remove_one_file_of_the_dependencies(built: BuiltProject) -> None:
    next(built.root.glob("dependencies/**/tin.py")).unlink()
    built.blob("dependencies").unlink()


def truncate_one_file_of_the_dependencies(built: BuiltProject) -> None:
    os.truncate(next(built.root.glob("dependencies/**/tin_data/big.bin")), 1000)
    built.blob("dependencies").unlink()


def empty_the_bytecode(built: BuiltProject) -> None:
    for path in list(built.root.glob("bytecode/*/*"))[::10]:
        os.truncate(path, 0)
    built.blob("runtime").unlink()


def flip_a_bit(path: Path) -> None:
    """Change one bit in the middle of a file, and neither its size nor its time."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def flip_a_bit_in_bytecode(built: BuiltProject) -> None:
    flip_a_bit(next(path for path in sorted(built.root.glob("bytecode/*/*")) if not path.is_symlink()))
    built.blob("runtime").unlink()


def flip_a_bit_in_a_dependency(built: BuiltProject) -> None:
    flip_a_bit(next(built.root.glob("dependencies/**/tin_data/big.bin")))
    built.blob("dependencies").unlink()


def flip_a_bit_in_a_module_of_a_dependency(built: BuiltProject) -> None:
    flip_a_bit(next(built.root.glob("dependencies/**/tin.py")))
    built.blob("dependencies").unlink()


def leave_things_behind(built: BuiltProject) -> None:
    (built.root / "tmp" / "0123456789abcdef").mkdir()
    (built.root / "tmp" / "0123456789abcdef" / "blob").write_text("half")
    (built.root / "tmp" / "fedcba9876543210.lock").touch()
    built.blob("app").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        truncate_a_blob,
        remove_the_blobs,
        write_garbage_into_records,
        remove_the_dependencies,
        remove_one_file_of_the_dependencies,
        truncate_one_file_of_the_dependencies,
        empty_the_bytecode,
        flip_a_bit_in_bytecode,
        flip_a_bit_in_a_dependency,
        flip_a_bit_in_a_module_of_a_dependency,
        leave_things_behind,
    ],
)
def test_what_is_damaged_is_made_anew(built: BuiltProject, damage: Callable[[BuiltProject], None]) -> None:
    damage(built)
    assert built.build().report["digest"] == built.digest
    assert_whole(built.folder, built.cache)


def test_a_blob_with_other_bytes_is_refused_and_made_anew(built: BuiltProject) -> None:
    blob = built.blob("runtime")
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    assert f"in {blob}" in assert_refused(built.build(), 8)
    assert not list((built.folder / "dist").glob("*"))
    assert built.build().report["digest"] == built.digest
    assert_whole(built.folder, built.cache)


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


def test_a_wheel_that_was_altered_where_uv_unpacked_it_is_fetched_anew(
    make_project: MakeProject, tmp_path: Path, index: Path
) -> None:
    folder = make_project({"main.py": "import tin\n", "requirements.txt": "tin\n"})
    settings = {
        **only_from(index),
        **FAST,
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "CANNERY_CACHE": str(tmp_path / "cache"),
    }
    digest = image_digest(folder, **settings)
    for path in (tmp_path / "uv").rglob("tin_data/big.bin"):
        flip_a_bit(path)
    shutil.rmtree(tmp_path / "cache" / __version__ / "dependencies")
    next((tmp_path / "cache" / __version__).glob("layers")).rename(tmp_path / "layers")
    again = cannery("image", "--json", cwd=folder, **settings)
    assert again.report["digest"] == digest


def test_a_run_makes_a_damaged_layer_anew(built: BuiltProject) -> None:
    blob = built.blob("app")
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)

    ran = cannery("run", "--engine", "none", cwd=built.folder, CANNERY_CACHE=str(built.cache))
    assert (ran.code, f"{blob} of the cache is damaged: making it anew" in ran.stderr) == (0, True)
    assert built.build().report["digest"] == built.digest
