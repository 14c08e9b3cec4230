"""Indexes walked down to the manifests of images, by what their entries leave open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cannery.errors import ImageError
from cannery.image.media.walk import best, candidates
from cannery.image.platform import Platform
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.media.medium import Descriptor

pytestmark = pytest.mark.once

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NAME = "org.opencontainers.image.ref.name"


class Documents:
    """Documents by their digests, and a note of which were read."""

    def __init__(self) -> None:
        self._found: dict[Digest, Mapping[str, Any]] = {}
        self.read: list[Digest] = []

    def add(self, document: Mapping[str, Any], media_type: str | None = MANIFEST, **more: object) -> dict[str, Any]:
        """Keep a document; returns its descriptor."""
        data = json.dumps(document).encode()
        self._found[Digest.of(data)] = document
        typed = {"mediaType": media_type} if media_type else {}
        return {**typed, "digest": str(Digest.of(data)), "size": len(data), **more}

    def image(self, built_for: str, media_type: str | None = MANIFEST, **more: object) -> dict[str, Any]:
        """Keep a manifest whose configuration is ``built_for`` a platform; returns its descriptor."""
        config = self.add(Platform.parse(built_for).as_json(), "application/vnd.oci.image.config.v1+json")
        return self.add({"config": config, "layers": []}, media_type, **more)

    def __call__(self, descriptor: Descriptor) -> Mapping[str, Any] | None:
        self.read.append(descriptor.digest)
        return self._found.get(descriptor.digest)


def platforms(index: Mapping[str, Any], documents: Documents) -> list[str]:
    return [str(each.platform) for each in candidates(index, documents, "index.json")]


def test_an_entry_that_says_its_platform_is_not_read() -> None:
    documents = Documents()
    entries = [documents.image("linux/amd64", platform={"os": "linux", "architecture": "amd64"})]
    assert platforms({"manifests": entries}, documents) == ["linux/amd64"]
    assert documents.read == []


@pytest.mark.parametrize("media_type", [MANIFEST, None, "application/vnd.docker.distribution.manifest.v2+json"])
def test_a_platform_that_no_entry_says_is_the_configuration_s(media_type: str | None) -> None:
    documents = Documents()
    entries = [documents.image("linux/arm64/v8", media_type), documents.image("linux/s390x", media_type)]
    assert platforms({"manifests": entries}, documents) == ["linux/arm64/v8", "linux/s390x"]


def test_indexes_in_one_another_are_walked_and_hand_their_names_down() -> None:
    documents = Documents()
    inner = {"mediaType": INDEX, "manifests": [documents.image("linux/amd64", annotations={NAME: "inner"})]}
    outer = [documents.add(inner, INDEX, annotations={NAME: "outer"}), documents.image("linux/s390x")]
    found = list(candidates({"manifests": outer}, documents, "index.json"))
    assert [(str(each.platform), set(each.names)) for each in found] == [
        ("linux/amd64", {"inner", "outer"}),
        ("linux/s390x", set()),
    ]


def test_what_is_no_image_is_left_out() -> None:
    documents = Documents()
    artifact = {"config": documents.add({}, "application/vnd.oci.empty.v1+json"), "layers": []}
    entries = [
        documents.image("linux/amd64", annotations={"vnd.docker.reference.type": "attestation-manifest"}),
        documents.image("linux/amd64", platform={"os": "unknown", "architecture": "unknown"}),
        documents.add(artifact),
        documents.image("linux/riscv64"),
    ]
    assert platforms({"manifests": entries}, documents) == ["linux/riscv64"]


def test_what_was_not_saved_along_is_left_out() -> None:
    documents = Documents()
    gone = {"digest": str(Digest.of(b"gone")), "size": 4}
    assert platforms({"manifests": [gone, documents.image("linux/amd64")]}, documents) == ["linux/amd64"]


def test_indexes_without_end_are_refused() -> None:
    documents = Documents()
    index: dict[str, Any] = {"manifests": [documents.image("linux/amd64")]}
    for _ in range(3):
        index = {"manifests": [documents.add(index, INDEX)]}
    assert platforms(index, documents) == ["linux/amd64"]
    with pytest.raises(ImageError, match=r"an index in index\.json is malformed"):
        platforms({"manifests": [documents.add(index, INDEX)]}, documents)


@pytest.mark.parametrize(
    "manifests", [None, 5, [5], [{}], [{"digest": "sha256:1", "size": 1}], [{"annotations": 5}], [{"platform": "x"}]]
)
def test_a_malformed_index_is_told(manifests: object) -> None:
    with pytest.raises(ImageError):
        platforms({"manifests": manifests}, Documents())


def test_the_highest_variant_that_runs_is_the_best() -> None:
    documents = Documents()
    entries = [documents.image(f"linux/arm/{variant}") for variant in ("v6", "v7", "v8")]
    found = list(candidates({"manifests": entries}, documents, "index.json"))
    assert str(best(found, Platform.parse("linux/arm/v7"), "x").platform) == "linux/arm/v7"
    with pytest.raises(ImageError, match="x is not there for linux/arm/v5") as raised:
        best(found, Platform.parse("linux/arm/v5"), "x")
    assert raised.value.evidence == "it's there for: linux/arm/v6, linux/arm/v7, linux/arm/v8"
