"""What a push leaves for other builds, read and written, and what becomes of one that is damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cannery.errors import RegistryError
from cannery.image.image import assemble
from cannery.image.media.build_cache import BuildCache
from cannery.image.media.registry import Registry
from cannery.image.platform import Platform
from cannery.image.registry import connection, upload
from cannery.workspace.cache import Cache
from tests.support.awkward_registry import AwkwardRegistry, serving
from tests.support.layers import file, layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cannery.image.image import Image

pytestmark = pytest.mark.once

KINDS = frozenset({"layers", "needs", "mentions"})
LARGE = {"names": [str(number) for number in range(2000)]}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(connection, "WAITS", ())
    monkeypatch.setattr(upload, "WAITS", ())
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def strict() -> Iterator[AwkwardRegistry]:
    with serving(AwkwardRegistry()) as running:
        yield running


@pytest.fixture
def image(tmp_path: Path, strict: AwkwardRegistry) -> Image:
    """An image that has been pushed."""
    made = assemble((layer(tmp_path, file("text", b"app"), name="app"),), {"Cmd": ["x"]}, Platform("linux", "amd64"))
    with Registry(f"{strict.address}/app:1") as medium:
        medium.write(made)
    return made


def cache(registry: AwkwardRegistry, *, needed: bool = False) -> BuildCache:
    return BuildCache(Registry(f"{registry.address}/app:cache"), KINDS, needed=needed)


def left(registry: AwkwardRegistry, image: Image, **records: Mapping[str, object]) -> int:
    """Leave the image's layer and ``records`` as a build does; returns the bytes that were sent."""
    own = cache(registry)
    own.use("layers", "k", {"layer": image.layers[0].as_json()})
    for kind, record in records.items():
        own.use(kind, "k", record)
    return own.write(own.registry, image.layers)


def test_another_build_finds_records_and_layers(strict: AwkwardRegistry, image: Image, tmp_path: Path) -> None:
    assert left(strict, image, needs={"a": 1}, mentions=LARGE, facts={"of": "this machine"}) > 0
    other = cache(strict)
    assert other.recall("needs", "k") == {"a": 1}
    assert other.recall("mentions", "k") == LARGE
    assert other.recall("facts", "k") is other.recall("needs", "another") is None
    (found,) = image.layers
    assert other.recall("layers", "k") == {"layer": found.as_json()}
    assert other.has_blob(found.digest)
    elsewhere = Cache(tmp_path / "cache")
    other.fetch(replace(found, blob=elsewhere.blob(found.digest)), elsewhere)
    assert elsewhere.blob(found.digest).read_bytes() == found.blob.read_bytes()
    assert other.notes == []


def test_a_layer_that_is_gone_or_that_the_cache_does_not_speak_of_is_none(
    strict: AwkwardRegistry, image: Image
) -> None:
    left(strict, image)
    assert not cache(strict).has_blob(image.id)
    del strict.blobs["app"][str(image.layers[0].digest)]
    assert not cache(strict).has_blob(image.layers[0].digest)


def test_what_is_there_is_not_written_again_and_what_was_not_asked_for_stays(
    strict: AwkwardRegistry, image: Image
) -> None:
    left(strict, image, needs={"a": 1}, mentions=LARGE)
    own = cache(strict)
    own.use("needs", "k", {"a": 1})
    assert own.write(own.registry, image.layers) == 0
    own = cache(strict)
    own.use("needs", "new", {"a": 2})
    assert 0 < own.write(own.registry, image.layers) < 2000
    other = cache(strict)
    assert other.has_blob(image.layers[0].digest)
    assert other.recall("mentions", "k") == LARGE
    assert other.recall("needs", "new") == {"a": 2}
    assert other.recall("needs", "k") is None


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (b"no JSON", "is no JSON"),
        (b'{"layers": 1}', "malformed"),
        (b'{"layers": [{"annotations": 1}]}', "malformed"),
    ],
)
def test_a_manifest_that_is_none_is_told_and_taken_for_none(
    strict: AwkwardRegistry, image: Image, manifest: bytes, told: str
) -> None:
    strict.manifests["app"]["cache"] = manifest
    broken = cache(strict)
    assert broken.recall("needs", "k") is None
    assert not broken.has_blob(image.layers[0].digest)
    assert len(broken.notes) == 1
    assert told in broken.notes[0]


def test_a_record_that_is_not_what_its_digest_says_is_told_and_not_taken(strict: AwkwardRegistry, image: Image) -> None:
    left(strict, image, mentions=LARGE)
    manifest = json.loads(strict.manifests["app"]["cache"])
    (digest,) = (each["digest"] for each in manifest["layers"] if "dev.cannery.record" in each["annotations"])
    strict.blobs["app"][digest] = strict.blobs["app"][digest][:-1] + b"?"
    broken = cache(strict)
    assert broken.recall("mentions", "k") is None
    assert "is not what its digest says" in broken.notes[0]


def test_a_registry_that_cannot_be_reached_ends_a_build_that_needs_it_alone() -> None:
    nowhere = AwkwardRegistry(address="127.0.0.1:1")
    with pytest.raises(RegistryError, match="can't be reached"):
        cache(nowhere, needed=True).recall("needs", "k")
    other = cache(nowhere)
    assert other.recall("needs", "k") is None
    assert "can't be reached" in other.notes[0]


def test_a_registry_that_shows_nothing_has_no_cache(strict: AwkwardRegistry) -> None:
    fresh = cache(strict, needed=True)
    assert fresh.recall("needs", "k") is None
    assert fresh.notes == []
