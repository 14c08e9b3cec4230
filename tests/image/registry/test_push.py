"""Pushing to registries that behave in every awkward way that is known, and to a real one."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ImageError, RegistryError
from cannery.image.image import Image, ImageIndex, assemble, canonical_json, descriptor
from cannery.image.media.registry import Registry
from cannery.image.media_types import CONFIG, INDEX, MANIFEST
from cannery.image.platform import Platform
from cannery.image.registry import connection, upload
from cannery.image.registry.push import put_document
from cannery.workspace.digest import Digest
from tests.support.awkward_registry import AwkwardRegistry, serving
from tests.support.layers import file, layer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.image.registry.client import Repository
    from tests.support.registry import Registry as RunningRegistry

pytestmark = pytest.mark.once

PLATFORM = Platform("linux", "amd64")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing, and cut small images into chunks."""
    monkeypatch.setattr(connection, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(upload, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(upload, "_CHUNK", 50_000)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with no credentials."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return made(tmp_path, b"app")


def made(folder: Path, text: bytes) -> Image:
    """An image of two layers, one of which has 120 kB that don't compress, and is the same for any ``text``."""
    noise = random.Random(1).randbytes(120_000)
    layers = (layer(folder, file("noise", noise), name="runtime"), layer(folder, file("text", text), name="app"))
    return assemble(layers, {"Cmd": ["x"]}, PLATFORM)


@pytest.fixture
def strict() -> Iterator[AwkwardRegistry]:
    with serving(AwkwardRegistry()) as running:
        yield running


def test_a_changed_layer_is_all_that_is_sent(strict: AwkwardRegistry, image: Image, tmp_path: Path) -> None:
    with Registry(f"{strict.address}/team/app") as medium:
        first = medium.push(image, ("1", "latest"))
        again = medium.push(image, ("latest",))
        changed = medium.push(made(tmp_path, b"changed"), ("latest",))
    assert {sent.blob.name: sent.state for sent in first.blobs} == dict.fromkeys(
        ("runtime", "app", "configuration"), "sent"
    )
    assert again.bytes_sent == 0
    assert strict.count("HEAD", "blobs") == len(first.blobs) + len(changed.blobs)  # the tag alone has told that
    assert [sent.blob.name for sent in changed.blobs if sent.state == "sent"] == ["app", "configuration"]
    tags = strict.manifests["team/app"]
    assert tags["1"] == tags[str(image.digest)] == image.manifest_blob != tags["latest"]
    assert str(changed.reference).endswith(f"/team/app@{made(tmp_path, b'changed').digest}")


@pytest.mark.parametrize(
    "ways",
    [
        {"relative": True},
        {"plain_address": True},
        {"largest_body": 60_000},
        {"largest_body": 60_000, "relative": True, "patch_status": 201},
        {"largest_body": 60_000, "plain_address": True, "patch_status": 204},
        {"tokens_last": 100},
        {"tokens_last": 2},
        {"tokens_last": 3, "largest_body": 60_000},
        {"tokens_last": 100, "challenges_reads": False},
        *({"failures": [status]} for status in (408, 429, 499, 500, 502, 503, 504, 522)),
        {"failures": [404, 416]},
        {"failures": [503, 503, 503], "largest_body": 60_000},
    ],
    ids=str,
)
def test_a_registry_is_taken_as_it_is(image: Image, ways: dict[str, object]) -> None:
    with serving(AwkwardRegistry(**ways)) as registry, Registry(f"{registry.address}/team/app:1") as medium:  # type: ignore[arg-type]
        medium.write(image)
    assert registry.is_whole("team/app", "1")


def test_what_a_registry_has_elsewhere_is_taken_from_there(image: Image) -> None:
    with serving(AwkwardRegistry(tokens_last=100)) as registry:
        for name, mounts in ("team/base", ()), ("team/app", (f"{registry.address}/team/base",)):
            with Registry(f"{registry.address}/{name}") as medium:
                pushed = medium.push(image, ("1",), mounts=mounts)
    assert [sent.state for sent in pushed.blobs] == ["mounted"] * 3
    assert registry.is_whole("team/app", "1")


def test_a_mount_that_becomes_an_upload_is_one(image: Image) -> None:
    with serving(AwkwardRegistry(mounts=False)) as registry, Registry(f"{registry.address}/team/app") as medium:
        pushed = medium.push(image, ("1",), mounts=(f"{registry.address}/team/base",))
    assert [sent.state for sent in pushed.blobs] == ["sent"] * 3
    assert registry.count("POST", "uploads") == 3


def test_uploads_that_lead_to_another_host_keep_their_query_and_get_no_secret(image: Image) -> None:
    registry = AwkwardRegistry(tokens_last=100)
    with serving(registry), serving(replace_address(registry)) as storage:
        registry.moves_uploads_to = storage.address
        with Registry(f"{registry.address}/team/app:1") as medium:
            medium.write(image)
    assert registry.is_whole("team/app", "1")


def test_nothing_is_sent_to_an_upload_at_another_host_without_tls(image: Image) -> None:
    with (
        serving(AwkwardRegistry(uploads_at="192.0.2.1")) as registry,
        Registry(f"{registry.address}/team/app:1") as medium,
        pytest.raises(RegistryError) as refused,
    ):
        medium.write(image)
    assert "leads to 192.0.2.1 without TLS" in str(refused.value)
    assert "_state" not in str(refused.value)  # which is as good as a secret


def replace_address(registry: AwkwardRegistry) -> AwkwardRegistry:
    """The host that has the storage of ``registry``: what it's sent lies there."""
    storage = replace(registry, address="", tokens_last=None)
    storage._uploads, storage._states, storage._lock = registry._uploads, registry._states, registry._lock  # noqa: SLF001
    storage.moves_uploads_to = ""
    return storage


@pytest.mark.parametrize("seed", range(50))
def test_an_image_is_whole_or_absent_wherever_connections_are_cut(image: Image, seed: int) -> None:
    chunks = seed % 2
    awkward = AwkwardRegistry(cut=random.Random(seed), largest_body=60_000 if chunks else None)
    with serving(awkward) as registry, Registry(f"{registry.address}/team/app:1") as medium:
        try:
            medium.write(image)
        except RegistryError as error:
            assert "can't be reached" in str(error)  # noqa: PT017
            assert "1" not in registry.manifests.get("team/app", {})
            registry.cut = None
            medium.write(image)
    assert registry.is_whole("team/app", "1")


@pytest.mark.parametrize(
    ("ways", "told"),
    [
        ({"lies": True}, "has something else than it was sent"),
        ({"full": True}, r"does not take what is pushed to team/app\n.*quota exceeded\nNext: make room there"),
        ({"largest_body": 10_000}, "takes no chunk of"),
        ({"failures": [500] * 12}, "does not take what is pushed to team/app"),
        ({"failures": [403] * 3}, r"does not let you write to team/app\n(.*\n)+Next: log in as somebody who may"),
        ({"failures": [405] * 3}, "has no repository team/app to write to"),
    ],
    ids=str,
)
def test_a_refusal_is_one_message_and_no_tag_leads_to_half_an_image(
    image: Image, ways: dict[str, object], told: str
) -> None:
    with serving(AwkwardRegistry(**ways)) as registry, Registry(f"{registry.address}/team/app:1") as medium:  # type: ignore[arg-type]
        with pytest.raises(RegistryError) as raised:
            medium.write(image)
        assert raised.match(told)
    assert registry.manifests == {}


def test_a_damaged_blob_of_the_cache_is_not_sent(strict: AwkwardRegistry, image: Image) -> None:
    blob = image.layers[0].blob
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    with Registry(f"{strict.address}/team/app:1") as medium, pytest.raises(ImageError, match="runtime is damaged"):
        medium.write(image)
    assert strict.manifests == {}


def test_a_dry_run_sends_nothing(strict: AwkwardRegistry, image: Image) -> None:
    with Registry(f"{strict.address}/team/app") as medium:
        pushed = medium.push(image, ("1",), dry=True)
    assert pushed.bytes_sent == sum(each.blob.size for each in pushed.blobs) > 120_000
    assert {method for method, _ in strict.requests} == {"HEAD"}


@pytest.mark.slow
def test_a_real_registry_has_what_was_pushed(registry: RunningRegistry, image: Image) -> None:
    with Registry(f"{registry.address}/team/pushed:1") as medium:
        medium.write(image)
    with Registry(f"{registry.address}/team/pushed:1") as medium:
        assert medium.root() == image.manifest_blob


def for_arm(image: Image) -> Image:
    """The same image for another platform."""
    config = {**image.config, "architecture": "arm64"}
    blob = canonical_json(config)
    manifest = {**image.manifest, "config": descriptor(CONFIG, Digest.of(blob), len(blob))}
    return Image(image.layers, config, manifest, Platform("linux", "arm64"))


def test_a_platform_is_added_to_what_a_tag_leads_to(strict: AwkwardRegistry, image: Image, tmp_path: Path) -> None:
    arm, changed = for_arm(image), made(tmp_path, b"changed")
    with Registry(f"{strict.address}/team/app:1") as medium:
        medium.push(image, ("1",))
        joined = medium.push(arm, ("1", "new"), update_index=True)
        assert medium.root() == ImageIndex((image, arm)).index_blob
        again = medium.push(changed, ("1",), update_index=True)
        assert medium.root() == ImageIndex((changed, arm)).index_blob
        assert medium.push(changed, ("1",), update_index=True).reference == again.reference
        other = medium.push(arm, ("2",), update_index=True)
    assert joined.tags == ("1", "new")
    assert again.reference.digest == ImageIndex((changed, arm)).digest
    assert other.reference.digest == ImageIndex((arm,)).digest == joined.reference.digest


def test_what_others_add_at_the_same_time_stays(
    strict: AwkwardRegistry, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = for_arm(image)
    with Registry(f"{strict.address}/team/app:1") as medium, Registry(f"{strict.address}/team/app:1") as other:
        other.push(arm, ())
        put = put_document

        def put_late(repository: Repository, document: tuple[str, bytes], tag: str | None = None) -> str | None:
            noted = put(repository, document, tag)
            if tag is not None:
                monkeypatch.setattr("cannery.image.registry.joined_index.put_document", put)
                put(repository, (INDEX, ImageIndex((arm,)).index_blob), tag)
            return noted

        monkeypatch.setattr("cannery.image.registry.joined_index.put_document", put_late)
        medium.push(image, ("1",), update_index=True)
        assert medium.root() == ImageIndex((arm, image)).index_blob


def test_a_tag_that_others_write_each_time_is_told(
    strict: AwkwardRegistry, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, arm = put_document, for_arm(image)
    monkeypatch.setattr("cannery.image.registry.joined_index._PAUSE", 0)
    monkeypatch.setattr(
        "cannery.image.registry.joined_index.put_document",
        lambda repository, _, tag=None: put(repository, (INDEX, ImageIndex((arm,)).index_blob), tag),
    )
    with Registry(f"{strict.address}/team/app:1") as medium:
        medium.push(arm, ())
        with pytest.raises(RegistryError, match="team/app:1 does not keep what is added to it"):
            medium.push(image, ("1",), update_index=True)


def test_what_is_no_image_is_not_added_to(strict: AwkwardRegistry, image: Image) -> None:
    with Registry(f"{strict.address}/team/app:1") as medium:
        medium.keep(canonical_json({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}), {})
        with pytest.raises(RegistryError, match="is neither an image nor an index"):
            medium.push(image, ("1",), update_index=True)
