"""Layers are the same for the same tree, and hold what the tree says."""

from __future__ import annotations

import gzip
import io
import tarfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

import pytest

from cannery.errors import ImageError
from cannery.image.content import Inline, OnDisk
from cannery.image.layer import pack
from cannery.image.tree import Directory, File, Symlink, Tree
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.image.layer import Layer
    from cannery.workspace.workspace import Workspace

TREE = Tree(
    {
        "/app/main.pyc": File(Inline(b"code")),
        "/app/run": File(Inline(b"#!"), 0o755),
        "/tmp": Directory(0o1777),
        "/lib": Symlink("usr/lib"),
        "/home/app/x": File(Inline(b""), 0o600, 65535, 65535),
    }
)


def members(layer: Layer) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(layer.blob, "r:gz") as archive:
        return {member.name: member for member in archive}


def test_a_tree_packed_twice_has_one_digest(workspace: Workspace) -> None:
    reordered = Tree(dict(reversed(list(TREE.entries.items()))))
    assert pack("app", TREE, workspace.cache) == pack("app", reordered, workspace.cache)


def test_the_blob_is_what_its_digests_say(workspace: Workspace) -> None:
    layer = pack("app", TREE, workspace.cache)
    blob = layer.blob.read_bytes()
    assert (Digest.of(blob), len(blob)) == (layer.digest, layer.size)
    assert Digest.of(gzip.decompress(blob)) == layer.diff_id
    assert (layer.files, layer.unpacked_size) == (3, 6)


def test_members_carry_modes_and_owners(workspace: Workspace) -> None:
    found = members(pack("app", TREE, workspace.cache))
    assert {(member.uname, member.gname) for member in found.values()} == {("", "")}
    assert found["tmp"].mode == 0o1777
    assert found["app/run"].mode == 0o755
    assert (found["home/app/x"].uid, found["home/app/x"].gid) == (65535, 65535)
    assert (found["lib"].type, found["lib"].linkname) == (tarfile.SYMTYPE, "usr/lib")


def test_a_file_s_time_follows_from_its_content(workspace: Workspace, tmp_path: Path) -> None:
    """A server tells by time and size whether a file is what it was."""
    path = tmp_path / "same"
    path.write_bytes(b"one")
    same, other = File(Inline(b"one")), File(Inline(b"two"))
    tree = Tree({"/a": same, "/b": other, "/c": File(OnDisk(path, 3)), "/link": Symlink("a")})
    times = {name: member.mtime for name, member in members(pack("app", tree, workspace.cache)).items()}
    assert times["a"] == times["c"] != times["b"]
    assert all(datetime(1980, 1, 1, tzinfo=UTC).timestamp() <= times[name] < 2**30 for name in "abc")
    assert times["link"] == 1


def test_every_parent_directory_comes_before_what_lies_in_it(workspace: Workspace) -> None:
    assert list(members(pack("app", TREE, workspace.cache))) == [
        "app", "app/main.pyc", "app/run", "home", "home/app", "home/app/x", "lib", "tmp",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["with space", "line\nbreak", "ü" * 120, f"{'deep/' * 60}leaf", "n" * 255])
def test_odd_names_come_back_as_they_were(workspace: Workspace, name: str) -> None:
    layer = pack("app", Tree({f"/app/{name}": File(Inline(b"x"))}), workspace.cache)
    assert f"app/{name}" in members(layer)


def test_a_long_link_target_comes_back_as_it_was(workspace: Workspace) -> None:
    layer = pack("app", Tree({"/link": Symlink("t" * 300)}), workspace.cache)
    assert members(layer)["link"].linkname == "t" * 300


@pytest.mark.parametrize("size", [3, 5])
def test_a_file_that_changes_while_it_is_read_is_an_error_that_names_it(
    workspace: Workspace, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"x" * size)
    with pytest.raises(ImageError, match="/data changed while it was read"):
        pack("app", Tree({"/data": File(OnDisk(path, 4))}), workspace.cache)
    assert not list(workspace.cache.root.glob("blobs/**/*"))
    assert not [path for path in (workspace.cache.root / "tmp").iterdir() if path.is_dir()]


class Watched:
    """A content that notes how much is asked for at once."""

    size = 50_000_000

    def __init__(self) -> None:
        self.asked: list[int] = []

    def open(self) -> BinaryIO:
        content = io.BytesIO(bytes(self.size))
        read = content.read

        def noting(size: int | None = -1, /) -> bytes:
            self.asked.append(self.size if size is None or size < 0 else size)
            return read(size)

        content.read = noting  # type: ignore[method-assign]
        return content


def test_contents_are_streamed_not_held(workspace: Workspace) -> None:
    content = Watched()
    pack("app", Tree({"/large": File(content)}), workspace.cache, level=1)
    assert len(content.asked) > 1
    assert max(content.asked) <= 1 << 20
