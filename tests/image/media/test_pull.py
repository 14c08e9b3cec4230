"""Bases come into the cache, whatever medium they lie in."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cannery.errors import ConfigurationError, ImageError
from cannery.image.media.docker_archive import DockerArchive
from cannery.image.media.layout import Layout
from cannery.image.media.pull import pull
from cannery.image.platform import Platform
from tests.support.layers import file, layer
from tests.support.layouts import AMD64, DOCKER, OCI, Kind, add_image, add_index, docker_archive, layout, write_index

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cannery.image.hashing import Readable
    from cannery.image.layer import Layer
    from cannery.image.media.medium import Descriptor, Medium
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

PLATFORM = Platform("linux", "amd64")
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"


@pytest.fixture
def layers(tmp_path: Path) -> list[Layer]:
    return [layer(tmp_path, file("a", b"one")), layer(tmp_path, file("b", b"two"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "layout"
    path.mkdir()
    return path


@pytest.mark.parametrize("kind", [OCI, DOCKER], ids=["OCI", "Docker"])
@pytest.mark.parametrize("typed", [True, False], ids=["typed", "with no media type"])
def test_blobs_stay_as_they_are_and_get_the_specification_s_media_types(
    folder: Path, layers: list[Layer], workspace: Workspace, kind: Kind, *, typed: bool
) -> None:
    pulled = pull(Layout(layout(folder, layers, kind=kind, typed=typed), None), PLATFORM, workspace.cache)

    assert [(each.media_type, each.digest) for each in pulled.layers] == [(GZIP, each.digest) for each in layers]
    assert [each.diff_id for each in pulled.layers] == [each.diff_id for each in layers]
    assert all(workspace.cache.blob(each.digest).read_bytes() == each.blob.read_bytes() for each in layers)


def test_two_equal_layers_are_two_layers(folder: Path, layers: list[Layer], workspace: Workspace) -> None:
    pulled = pull(Layout(layout(folder, [layers[0], layers[0]]), None), PLATFORM, workspace.cache)
    assert [each.digest for each in pulled.layers] == [layers[0].digest] * 2


@pytest.mark.parametrize("kind", [OCI, DOCKER], ids=["OCI", "Docker"])
@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ("linux/amd64", "amd64"),
        ("linux/arm64", "arm64v8"),
        ("linux/arm64/v8", "arm64v8"),
        ("linux/arm/v7", "armv7"),
        ("linux/arm/v6", "armv6"),
        ("linux/arm", "armv7"),
    ],
)
def test_the_platform_decides_which_of_an_index_s_images_it_is(
    folder: Path, tmp_path: Path, workspace: Workspace, kind: Kind, wanted: str, taken: str
) -> None:
    platforms = {
        "armv6": {"os": "linux", "architecture": "arm", "variant": "v6"},
        "amd64": AMD64,
        "armv7": {"os": "linux", "architecture": "arm", "variant": "v7"},
        "arm64v8": {"os": "linux", "architecture": "arm64", "variant": "v8"},
    }
    made = {name: layer(tmp_path, file(name)) for name in platforms}
    images = [add_image(folder, [made[name]], platform=where, kind=kind) for name, where in platforms.items()]
    attestation = {**images[0], "platform": {"os": "unknown", "architecture": "unknown"}}
    write_index(folder, [add_index(folder, [attestation, *images], kind)])

    pulled = pull(Layout(folder, None), Platform.parse(wanted), workspace.cache)

    assert pulled.layers[0].digest == made[taken].digest
    assert str(pulled.digest) == json.loads((folder / "index.json").read_bytes())["manifests"][0]["digest"]


def test_a_platform_that_is_not_there_is_told_with_those_that_are(
    folder: Path, layers: list[Layer], workspace: Workspace
) -> None:
    arm = {"os": "linux", "architecture": "arm64", "variant": "v8"}
    images = [add_image(folder, layers), add_image(folder, layers, platform=arm)]
    write_index(folder, [add_index(folder, images)])

    with pytest.raises(ImageError, match="is not there for linux/s390x") as raised:
        pull(Layout(folder, None), Platform("linux", "s390x"), workspace.cache)

    assert raised.value.evidence == "it's there for: linux/amd64, linux/arm64/v8"


def test_one_image_for_another_platform_is_refused(folder: Path, layers: list[Layer], workspace: Workspace) -> None:
    with pytest.raises(ImageError, match="is for linux/amd64, not for linux/arm64"):
        pull(Layout(layout(folder, layers), None), Platform("linux", "arm64"), workspace.cache)


def _altered(data: bytes) -> bytes:
    return data[:20] + bytes([data[20] ^ 1]) + data[21:]


@pytest.mark.parametrize(
    ("damage", "told"), [(lambda data: data[:-5], "is cut off"), (_altered, "is not what its digest says")]
)
@pytest.mark.parametrize("which", ["layer", "config"])
def test_a_damaged_blob_is_refused_and_does_not_get_into_the_cache(
    folder: Path, layers: list[Layer], workspace: Workspace, damage: Any, told: str, which: str
) -> None:
    layout(folder, layers)
    index = json.loads((folder / "index.json").read_bytes())
    blobs = folder / "blobs" / "sha256"
    manifest = json.loads((blobs / index["manifests"][0]["digest"][7:]).read_bytes())
    digest = (manifest["layers"][1] if which == "layer" else manifest["config"])["digest"][7:]
    (blobs / digest).write_bytes(damage((blobs / digest).read_bytes()))

    with pytest.raises(ImageError, match=told) as raised:
        pull(Layout(folder, "base"), PLATFORM, workspace.cache)

    assert digest in raised.value.evidence
    assert not (workspace.cache.root / "blobs" / "sha256" / digest).exists()


def test_a_layer_that_is_longer_than_promised_is_refused(
    folder: Path, layers: list[Layer], workspace: Workspace
) -> None:
    layout(folder, layers)
    with (folder / "blobs" / "sha256" / layers[0].digest.hex).open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(ImageError, match="is not what its digest says"):
        pull(Layout(folder, None), PLATFORM, workspace.cache)


def test_a_layer_that_only_windows_fetches_is_refused(folder: Path, layers: list[Layer], workspace: Workspace) -> None:
    kind = {**DOCKER, "layer": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}
    with pytest.raises(ImageError, match="a layer of a kind that can't be built upon"):
        pull(Layout(layout(folder, layers, kind=kind), None), PLATFORM, workspace.cache)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"no JSON", "is no JSON"),
        (b"[]", "is no JSON object"),
        (b'{"manifests": 5}', "is malformed"),
        (b'{"manifests": [5]}', "is malformed"),
        (b'{"schemaVersion": 1}', "is no image that cannery can read"),
        (b'{"schemaVersion": 2, "layers": [{}], "config": {}}', "a reference to a blob is malformed"),
        (b'{"schemaVersion": 2, "layers": [], "config": 7}', "a reference to a blob is malformed"),
        (b'{"schemaVersion": 2, "layers": [{"digest": "md5:1", "size": 1}]}', "not a SHA-256 digest"),
    ],
)
def test_a_malformed_manifest_is_told(workspace: Workspace, document: bytes, told: str) -> None:
    source = _Fixed(document)
    with pytest.raises(ImageError, match=told):
        pull(source, PLATFORM, workspace.cache)


@pytest.mark.parametrize(
    "config",
    [
        {"config": "x"},
        {"config": {"Env": 5}},
        {"config": {"Labels": {"a": 1}}},
        {"history": [1]},
        {"os": 3},
    ],
    ids=str,
)
def test_a_malformed_configuration_is_told(
    folder: Path, layers: list[Layer], workspace: Workspace, config: dict[str, Any]
) -> None:
    layout(folder, layers, platform={**AMD64, **config})
    with pytest.raises(ImageError, match=r"the configuration of .* is malformed"):
        pull(Layout(folder, None), PLATFORM, workspace.cache)


@pytest.mark.parametrize("index", [b"[]", b"{}", b'{"manifests": 5}', b'{"manifests": [5]}', b"\xff"])
def test_a_malformed_layout_is_told(folder: Path, workspace: Workspace, index: bytes) -> None:
    (folder / "index.json").write_bytes(index)
    with pytest.raises(ImageError, match=r"index\.json"):
        pull(Layout(folder, None), PLATFORM, workspace.cache)


def test_what_is_in_the_cache_is_not_read_again(folder: Path, layers: list[Layer], workspace: Workspace) -> None:
    source = Layout(layout(folder, layers), None)
    pull(source, PLATFORM, workspace.cache)
    for each in layers:
        (folder / "blobs" / "sha256" / each.digest.hex).unlink()
    pull(source, PLATFORM, workspace.cache)


def test_a_reference_chooses_among_the_images_of_a_layout(
    folder: Path, layers: list[Layer], tmp_path: Path, workspace: Workspace
) -> None:
    other = layer(tmp_path, file("other"))
    names = ("one", "two")
    images = [add_image(folder, [each]) for each in (layers[0], other)]
    annotated = [
        {**image, "annotations": {"org.opencontainers.image.ref.name": name}}
        for name, image in zip(names, images, strict=True)
    ]
    write_index(folder, [{key: value for key, value in each.items() if key != "platform"} for each in annotated])

    assert pull(Layout(folder, "two"), PLATFORM, workspace.cache).layers[0].digest == other.digest
    with pytest.raises(ConfigurationError, match="names 2 images") as raised:
        pull(Layout(folder, None), PLATFORM, workspace.cache)
    assert raised.value.evidence == "there are: one, two"
    with pytest.raises(ConfigurationError, match="names no image"):
        pull(Layout(folder, "three"), PLATFORM, workspace.cache)


@pytest.mark.parametrize("linked", [False, True], ids=["each its file", "one a link to the other"])
def test_an_archive_of_docker_s_is_read(
    tmp_path: Path, layers: list[Layer], workspace: Workspace, *, linked: bool
) -> None:
    layers = [layers[0], layers[0]] if linked else layers
    path = docker_archive(tmp_path / "saved.tar", layers, "base:1", linked=linked)

    pulled = pull(DockerArchive(path, None, "docker-archive:saved.tar"), PLATFORM, workspace.cache)

    assert [each.digest for each in pulled.layers] == [each.diff_id for each in layers]
    assert {each.media_type for each in pulled.layers} == {"application/vnd.oci.image.layer.v1.tar"}
    assert [each.diff_id for each in pulled.layers] == [each.diff_id for each in layers]


def test_an_archive_of_docker_s_may_have_compressed_layers(tmp_path: Path, layers: list[Layer]) -> None:
    import gzip  # noqa: PLC0415

    path = docker_archive(tmp_path / "saved.tar", [replace(layers[0], blob=_doubly(layers[0], gzip.compress))])
    manifest = json.loads(DockerArchive(path, None, "x").root())
    assert manifest["layers"][0]["mediaType"] == GZIP


def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path, layers: list[Layer], workspace: Workspace) -> None:
    path = docker_archive(tmp_path / "saved.tar", layers, cut=13_000)
    with pytest.raises(ImageError, match="can't be read"):
        pull(DockerArchive(path, None, "docker-archive:saved.tar"), PLATFORM, workspace.cache)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "saved.tar"
    path.write_bytes(b"no archive at all")
    with pytest.raises(ImageError, match="can't be read"):
        pull(DockerArchive(path, None, "docker-archive:saved.tar"), PLATFORM, workspace.cache)


def test_an_archive_has_the_image_of_the_reference_or_says_which_it_has(
    tmp_path: Path, layers: list[Layer], workspace: Workspace
) -> None:
    path = docker_archive(tmp_path / "saved.tar", layers, "base:1")
    pull(DockerArchive(path, "base:1", "docker-archive:saved.tar:base:1"), PLATFORM, workspace.cache)
    with pytest.raises(ConfigurationError, match="names no image") as raised:
        pull(DockerArchive(path, "base:2", "docker-archive:saved.tar:base:2"), PLATFORM, workspace.cache)
    assert raised.value.evidence == "there are: base:1"


def test_a_blob_that_a_layout_lacks_is_told(folder: Path, layers: list[Layer], workspace: Workspace) -> None:
    medium = Layout(layout(folder, layers))
    (folder / "blobs" / "sha256" / layers[1].digest.hex).unlink()
    with pytest.raises(ImageError, match=f"there is no blobs/sha256/{layers[1].digest.hex} in"):
        pull(medium, PLATFORM, workspace.cache)


@pytest.mark.parametrize("name", ["manifest.json", "1/layer.tar"])
def test_a_file_that_an_archive_lacks_is_told(
    tmp_path: Path, layers: list[Layer], workspace: Workspace, name: str
) -> None:
    whole = docker_archive(tmp_path / "whole.tar", layers)
    with tarfile.open(whole) as archive, tarfile.open(tmp_path / "less.tar", "w") as less:
        for member in archive:
            if member.name != name:
                less.addfile(member, archive.extractfile(member))
    with pytest.raises(ImageError, match=f"there is no {name} in"):
        pull(DockerArchive(tmp_path / "less.tar"), PLATFORM, workspace.cache)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"config": {"digest": f"sha256:{'0' * 64}", "size": 9 << 20}}, "a document of .* is too large"),
        ({"config": {"digest": f"sha256:{'0' * 64}", "size": -1}}, "a blob of -1 bytes can't be"),
        ({"layers": []}, "does not fit its manifest"),
    ],
    ids=["a huge document", "a negative size", "no layers"],
)
def test_a_manifest_that_makes_no_sense_is_told(
    folder: Path, layers: list[Layer], workspace: Workspace, change: dict[str, Any], told: str
) -> None:
    medium = Layout(layout(folder, layers))
    document = json.dumps({**json.loads(medium.root()), **change}).encode()
    with pytest.raises(ImageError, match=told):
        pull(_Fixed(document, medium), PLATFORM, workspace.cache)


class _Fixed:
    """A medium with a document of its own, and the blobs of another, if any."""

    name = "fixed"

    def __init__(self, document: bytes, blobs: Medium | None = None) -> None:
        self._document = document
        self._blobs = blobs

    def root(self) -> bytes:
        return self._document

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[Readable]:
        assert self._blobs is not None, descriptor
        return self._blobs.blob(descriptor)


def _doubly(plain: Layer, compress: Any) -> Path:
    path = plain.blob.with_suffix(".twice")
    path.write_bytes(compress(plain.blob.read_bytes(), 1, mtime=0))
    return path
