"""The README of the media shows what lies in them."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cannery.image.media
from cannery.image.content import Inline
from cannery.image.image import Image, assemble
from cannery.image.layer import pack
from cannery.image.media import Archive, DockerArchive, Layout
from cannery.image.platform import Platform
from cannery.image.tree import File, Tree

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

README = Path(cannery.image.media.__file__).with_name("README.md").read_text(encoding="utf-8")


@pytest.fixture
def image(workspace: Workspace) -> Image:
    trees = [Tree({"/lib/x.py": File(Inline(b"x"))}), Tree({"/app/main.py": File(Inline(b"y"))})]
    return assemble([pack("a layer", tree, workspace.cache) for tree in trees], {}, Platform("linux", "amd64"))


def section(title: str) -> str:
    return re.split(r"^## ", README, flags=re.MULTILINE)[[*sections()].index(title) + 1]


def sections() -> list[str]:
    return [line.partition(":")[0] for line in re.findall(r"^## (.+)$", README, re.MULTILINE)]


def listing(title: str) -> list[str]:
    found = re.search(r"```\n(.*?)\n```", section(title), re.DOTALL)
    assert found is not None
    return found[1].splitlines()


def document(title: str) -> Any:
    found = re.search(r"```json\n(.*?)\n```", section(title), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def plain(text: str, image: Image) -> str:
    """``text`` with words for the digests."""
    words = {
        image.id.hex: "CONFIG",
        image.digest.hex: "MANIFEST",
        **{each.digest.hex: "LAYER" for each in image.layers},
    }
    return re.sub("|".join(words), lambda digest: words[digest[0]], text)


def in_archive(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return [f"{member.name}/" if member.isdir() else member.name for member in archive]


def test_there_is_a_section_for_each_medium() -> None:
    assert sections() == ["Layout", "Archive", "DockerArchive", "Registry"]


def test_a_layout_is_as_it_is_shown(image: Image, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    Layout(folder).write(image, ["hello:1"])
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert sorted(plain("\n".join(files), image).splitlines()) == listing("Layout")
    (entry,) = json.loads(plain((folder / "index.json").read_text(), image))["manifests"]
    assert entry == document("Layout")


@pytest.mark.parametrize("medium", [Archive, DockerArchive])
def test_an_archive_is_as_it_is_shown(image: Image, tmp_path: Path, medium: type[Archive | DockerArchive]) -> None:
    path = tmp_path / "image.tar"
    medium(path).write(image, ["hello:1"])
    assert plain("\n".join(in_archive(path)), image).splitlines() == listing(medium.__name__)
    with tarfile.open(path) as archive:
        found = archive.extractfile("manifest.json")
        assert found is not None
        assert json.loads(plain(found.read().decode(), image)) == document("Archive")
