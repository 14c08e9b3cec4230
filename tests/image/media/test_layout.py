"""OCI layouts in folders, which may hold many images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ImageError
from cannery.image.content import Inline
from cannery.image.image import Image, assemble
from cannery.image.layer import pack
from cannery.image.media.layout import Layout
from cannery.image.platform import Platform
from cannery.image.tree import File, Tree
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once


@pytest.fixture
def images(workspace: Workspace) -> list[Image]:
    trees = [Tree({"/a": File(Inline(text))}) for text in (b"one", b"two")]
    return [assemble([pack("app", tree, workspace.cache)], {}, Platform("linux", "amd64")) for tree in trees]


def names(folder: Path) -> dict[str, str]:
    """The images of a layout: names with digests."""
    index = json.loads((folder / "index.json").read_bytes())
    return {
        entry.get("annotations", {}).get("org.opencontainers.image.ref.name", ""): entry["digest"]
        for entry in index["manifests"]
    }


def test_a_layout_has_what_the_specification_asks_for(images: list[Image], tmp_path: Path) -> None:
    Layout(tmp_path / "new").write(images[0], ["app:1"])
    assert json.loads((tmp_path / "new/oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    blobs = [*(tmp_path / "new/blobs/sha256").iterdir()]
    assert len(blobs) == 3
    assert all(path.name == Digest.of(path.read_bytes()).hex for path in blobs)
    index = json.loads((tmp_path / "new/index.json").read_bytes())
    assert (index["schemaVersion"], index["mediaType"]) == (2, "application/vnd.oci.image.index.v1+json")
    assert index["manifests"][0]["platform"] == {"os": "linux", "architecture": "amd64"}


def test_an_image_takes_the_place_of_what_has_its_name_and_no_other(images: list[Image], tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.write(images[0], ["app:1", "app:latest"])
    layout.write(images[1], ["app:2", "app:latest"])
    one, two = (str(image.digest) for image in images)
    assert names(tmp_path) == {"app:1": one, "app:2": two, "app:latest": two}


def test_an_image_without_a_name_is_there_once(images: list[Image], tmp_path: Path) -> None:
    for image in (images[0], images[0]):
        Layout(tmp_path).write(image)
    assert names(tmp_path) == {"": str(images[0].digest)}
    assert Layout(tmp_path).root() == images[0].manifest_blob


def test_two_names_of_one_image_are_one_image(images: list[Image], tmp_path: Path) -> None:
    Layout(tmp_path).write(images[0], ["app:1", "app:latest"])
    assert Layout(tmp_path).root() == images[0].manifest_blob


def test_what_others_wrote_into_the_index_stays(images: list[Image], tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"schemaVersion": 2, "manifests": [], "annotations": {"kept": "yes"}}')
    Layout(tmp_path).write(images[0], ["app:1"])
    assert json.loads((tmp_path / "index.json").read_bytes())["annotations"] == {"kept": "yes"}


def test_a_blob_that_is_there_is_written_again_only_where_it_is_damaged(images: list[Image], tmp_path: Path) -> None:
    Layout(tmp_path).write(images[0], ["app:1"])
    blob = tmp_path / "blobs/sha256" / images[0].layers[0].digest.hex
    before = blob.stat()
    Layout(tmp_path).write(images[0], ["app:2"])
    assert blob.stat().st_ino == before.st_ino
    blob.write_bytes(bytes(before.st_size))
    Layout(tmp_path).write(images[0], ["app:3"])
    assert blob.read_bytes() == images[0].layers[0].blob.read_bytes()


def test_a_whole_name_goes_before_the_end_of_another(images: list[Image], tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.write(images[0], ["team/app:1"])
    layout.write(images[1], ["app:1"])
    assert Layout(tmp_path, "app:1").root() == images[1].manifest_blob
    with pytest.raises(ConfigurationError, match="names 2 images") as raised:
        Layout(tmp_path, "1").root()
    assert raised.value.evidence == "there are: app:1, team/app:1"
    assert raised.value.step == f"name one of them:  oci:{tmp_path}:app:1"


def test_a_folder_that_is_no_layout_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no image in"):
        Layout(tmp_path).root()
