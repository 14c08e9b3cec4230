"""What one medium writes, every medium reads that can hold it; and so does skopeo."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ImageError
from cannery.image.content import Inline
from cannery.image.extraction import unpack
from cannery.image.image import Image, ImageIndex, assemble
from cannery.image.layer import pack
from cannery.image.media import Archive, DockerArchive, Layout, Registry
from cannery.image.media.pull import pull
from cannery.image.platform import Platform, machine_platform
from cannery.image.tree import File, Tree
from cannery.workspace.cache import Cache
from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cannery.image.media import Medium, WritableMedium
    from cannery.workspace.workspace import Workspace
    from tests.support.registry import Registry as RunningRegistry

pytestmark = pytest.mark.once

PLATFORM = Platform("linux", "amd64")
MEDIA: dict[str, Callable[..., WritableMedium]] = {  # by skopeo's names
    "oci": Layout,
    "oci-archive": Archive,
    "docker-archive": DockerArchive,
}
READERS = [("oci", "oci")] + [(one, other) for one in MEDIA for other in MEDIA if "oci" not in {one, other}]


@pytest.fixture
def image(workspace: Workspace) -> Image:
    """An image that has one of its layers twice."""
    trees = [Tree({"/app/a": File(Inline(b"a"), 0o755)}), Tree({"/app/b": File(Inline(b"b" * 1000))})]
    layers = [pack(f"layer {number}", tree, workspace.cache) for number, tree in enumerate(trees)]
    return assemble([*layers, layers[0]], {"User": "7:7", "Env": ["A=ä"]}, PLATFORM)


def skopeo(*arguments: str) -> bytes:
    if shutil.which("skopeo") is None:
        absent("skopeo")
    return subprocess.run(["skopeo", *arguments], capture_output=True, check=True).stdout


def written(kind: str, image: Image, folder: Path, reference: str = "team/app:1") -> Path:
    path = folder / kind
    MEDIA[kind](path).write(image, [reference])
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_same(medium: Medium, image: Image, folder: Path) -> None:
    """What ``medium`` holds is ``image``: its configuration, and the files of its layers."""
    found = pull(medium, PLATFORM, Cache(folder / "cache"))
    assert found.config == json.loads(image.config_blob)
    assert [layer.diff_id for layer in found.layers] == [layer.diff_id for layer in image.layers]
    (folder / "root").mkdir()
    unpack(found.layers, folder / "root")
    assert (folder / "root/app/a").read_bytes() == b"a"


@pytest.mark.parametrize(("kind", "reader"), READERS)
@pytest.mark.parametrize("reference", [None, "team/app:1", "app:1", "1"])
def test_what_a_medium_writes_is_read(
    image: Image, tmp_path: Path, kind: str, reader: str, reference: str | None
) -> None:
    path = written(kind, image, tmp_path)
    assert_same(MEDIA[reader](path, reference), image, tmp_path)


@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
def test_layouts_keep_the_manifest_as_it_is(image: Image, tmp_path: Path, kind: str) -> None:
    found = pull(MEDIA[kind](written(kind, image, tmp_path)), PLATFORM, Cache(tmp_path / "cache"))
    assert (found.digest, found.manifest) == (image.digest, image.digest)
    assert [layer.digest for layer in found.layers] == [layer.digest for layer in image.layers]


@pytest.mark.parametrize("kind", MEDIA)
def test_skopeo_reads_what_a_medium_writes(image: Image, tmp_path: Path, kind: str) -> None:
    path = written(kind, image, tmp_path)
    name = f"{kind}:{path}:team/app:1"
    assert json.loads(skopeo("inspect", "--config", "--raw", name)) == json.loads(image.config_blob)
    skopeo("copy", "--insecure-policy", name, f"oci:{tmp_path / 'copied'}:copy")
    assert_same(Layout(tmp_path / "copied", "copy"), image, tmp_path)


@pytest.mark.parametrize("kind", MEDIA)
def test_what_skopeo_writes_is_read(image: Image, tmp_path: Path, kind: str) -> None:
    source = written("oci", image, tmp_path)
    path = tmp_path / "copied"
    skopeo("copy", "--insecure-policy", f"oci:{source}:team/app:1", f"{kind}:{path}:team/app:2")
    assert_same(MEDIA[kind](path, "team/app:2"), image, tmp_path)


@pytest.fixture
def index(image: Image, workspace: Workspace) -> ImageIndex:
    """Images for two platforms, which share a layer."""
    other = pack("other", Tree({"/app/a": File(Inline(b"arm"))}), workspace.cache)
    return ImageIndex((image, assemble([other, image.layers[0]], {}, Platform("linux", "arm64"))))


@pytest.mark.parametrize(("kind", "medium"), [("oci", Layout), ("oci-archive", Archive)])
def test_each_platform_finds_its_image_in_an_index(
    index: ImageIndex, tmp_path: Path, kind: str, medium: type[Layout | Archive]
) -> None:
    path = tmp_path / kind
    medium(path).write(index, ["team/app:1"])
    for image in index.images:
        found = pull(medium(path, "team/app:1"), image.platform, Cache(tmp_path / "cache"))
        assert (found.digest, found.manifest, found.platform) == (index.digest, image.digest, image.platform)
    raw = skopeo("inspect", "--raw", f"{kind}:{path}:team/app:1")
    assert raw == index.index_blob
    skopeo("copy", "--insecure-policy", "--all", f"{kind}:{path}:team/app:1", f"oci:{tmp_path / 'copied'}:copy")
    assert pull(Layout(tmp_path / "copied", "copy"), PLATFORM, Cache(tmp_path / "copies")).digest == index.digest


def test_a_docker_without_indexes_finds_this_machine_s_image(index: ImageIndex, tmp_path: Path) -> None:
    Archive(tmp_path / "x").write(index, ["team/app:1"])
    found = pull(DockerArchive(tmp_path / "x", "team/app:1"), machine_platform(), Cache(tmp_path / "cache"))
    assert found.platform.runs_on(machine_platform())


def test_an_index_is_pushed_with_all_its_images_and_each_blob_once(
    index: ImageIndex, tmp_path: Path, registry: RunningRegistry
) -> None:
    name = f"{registry.address}/team/index:1"
    with Registry(name) as medium:
        pushed = medium.push(index, ["1"])
        assert str(pushed.reference).endswith(f"@{index.digest}")
        assert len({sent.blob.digest for sent in pushed.blobs}) == len(pushed.blobs) == 5
        for image in index.images:
            assert pull(medium, image.platform, Cache(tmp_path / "cache")).manifest == image.digest
    assert skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{name}") == index.index_blob


def test_a_registry_holds_what_a_layout_held(image: Image, tmp_path: Path, registry: RunningRegistry) -> None:
    reference = registry.push(written("oci", image, tmp_path), "team/app:1", "team/app:1")
    with Registry(reference) as medium:
        assert medium.digest() == str(image.digest)
        assert_same(medium, image, tmp_path)


@pytest.mark.parametrize("kind", MEDIA)
def test_the_same_image_makes_the_same_medium(image: Image, tmp_path: Path, kind: str) -> None:
    one, other = (written(kind, image, tmp_path / each) for each in ("one", "other"))
    if kind != "oci":
        assert one.read_bytes() == other.read_bytes()
        return
    files = [
        {path.relative_to(top): path.read_bytes() for path in top.rglob("*") if path.is_file()} for top in (one, other)
    ]
    assert files[0] == files[1]


@pytest.mark.parametrize("kind", MEDIA)
def test_a_damaged_blob_is_refused_and_what_was_there_stays(image: Image, tmp_path: Path, kind: str) -> None:
    path = written(kind, image, tmp_path, "app:1")
    index = path / "index.json" if kind == "oci" else path
    before = index.read_bytes()
    for blob in path.rglob("blobs/*/*"):
        blob.write_bytes(b"damaged, too")
    image.layers[0].blob.write_bytes(bytes(image.layers[0].size))
    with pytest.raises(ImageError, match="is not what it was"):
        MEDIA[kind](path).write(image, ["app:2"])
    assert index.read_bytes() == before
    assert not image.layers[0].blob.exists()


def test_the_progress_is_told_in_bytes(image: Image, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def show(title: str, done: int = 0, total: int = 0) -> None:
        assert title.startswith("writing the ")
        told.append((done, total))

    Layout(tmp_path / "layout").write(image, progress=show)
    Archive(tmp_path / "archive").write(image, progress=show)
    DockerArchive(tmp_path / "docker-archive").write(image, progress=show)
    first, second = (layer.size for layer in image.layers[:2])
    assert told == [(first, first + second), (first + second, first + second)] * 3
