"""One archive that is an OCI layout and a docker archive."""

from __future__ import annotations

import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from cannery.errors import ImageError
from cannery.image.content import Inline
from cannery.image.image import Image, assemble
from cannery.image.layer import pack
from cannery.image.media.archive import Archive
from cannery.image.platform import Platform
from cannery.image.tree import File, Tree
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace


@pytest.fixture
def image(workspace: Workspace) -> Image:
    tree = Tree({"/app/x": File(Inline(b"x"))})
    return assemble((pack("app", tree, workspace.cache),), {"User": "65535:65535"}, Platform("linux", "amd64"))


def contents(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}  # type: ignore[union-attr]


def test_both_indexes_name_the_same_blobs_by_their_digests(image: Image, workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "dist" / "x.tar"
    assert Archive(path).write(image, ["x:latest"], memory=workspace.cache)
    found = contents(path)
    for name, data in found.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{Digest.of(data).hex}"
    index: dict[str, Any] = json.loads(found["index.json"])
    (descriptor,) = index["manifests"]
    assert descriptor["digest"] == str(image.digest)
    assert descriptor["annotations"] == {
        "io.containerd.image.name": "docker.io/library/x:latest",
        "org.opencontainers.image.ref.name": "x:latest",
    }
    manifest = json.loads(found[f"blobs/sha256/{image.digest.hex}"])
    (docker,) = json.loads(found["manifest.json"])
    assert docker["RepoTags"] == ["x:latest"]
    assert docker["Config"] == "blobs/sha256/" + manifest["config"]["digest"].removeprefix("sha256:")
    assert docker["Layers"] == [
        "blobs/sha256/" + layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]
    ]
    assert json.loads(found["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


def test_the_same_image_makes_the_same_archive(image: Image, workspace: Workspace, tmp_path: Path) -> None:
    for name in ("one.tar", "two.tar"):
        Archive(tmp_path / name).write(image, ["x:latest"], memory=workspace.cache)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_an_archive_that_is_there_is_not_written_again(image: Image, workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    assert Archive(path).write(image, ["x:latest"], memory=workspace.cache)
    before = path.stat()
    assert not Archive(path).write(image, ["x:latest"], memory=workspace.cache)
    assert path.stat() == before


@pytest.mark.parametrize("harm", ["truncated", "removed", "renamed reference"])
def test_an_archive_that_is_not_as_it_should_be_is_written_again(
    image: Image, workspace: Workspace, tmp_path: Path, harm: str
) -> None:
    path = tmp_path / "x.tar"
    Archive(path).write(image, ["x:latest"], memory=workspace.cache)
    whole = path.read_bytes()
    if harm == "truncated":
        path.write_bytes(whole[:1000])
    if harm == "removed":
        path.unlink()
    names = ["x:other"] if harm == "renamed reference" else ["x:latest"]
    assert Archive(path).write(image, names, memory=workspace.cache)
    assert (path.read_bytes() == whole) == (harm != "renamed reference")


def test_a_blob_that_was_altered_after_it_was_checked_is_refused(
    image: Image, workspace: Workspace, tmp_path: Path
) -> None:
    path, blob = tmp_path / "x.tar", image.layers[0].blob
    Archive(path).write(image, ["x:one"], memory=workspace.cache)
    whole = path.read_bytes()
    status = blob.stat()
    blob.write_bytes(bytes(status.st_size))
    os.utime(blob, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(ImageError, match="is not what it was"):
        Archive(path).write(image, ["x:two"], memory=workspace.cache)
    assert path.read_bytes() == whole


def test_a_blob_that_was_altered_is_refused_and_nothing_is_written(
    image: Image, workspace: Workspace, tmp_path: Path
) -> None:
    blob = image.layers[0].blob
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.write_bytes(data)
    with pytest.raises(ImageError, match="is not what it was"):
        Archive(tmp_path / "dist" / "x.tar").write(image, ["x:latest"], memory=workspace.cache)
    assert not list((tmp_path / "dist").iterdir())
