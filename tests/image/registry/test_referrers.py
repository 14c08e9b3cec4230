"""Artifacts attached to images: where a registry lists them, and where a tag stands for the list."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from cannery.errors import RegistryError
from cannery.image.artifact import Artifact, attachment_of
from cannery.image.image import assemble
from cannery.image.media.registry import Registry
from cannery.image.platform import Platform
from cannery.image.registry import connection, referrers, upload
from cannery.workspace.digest import Digest
from tests.support.awkward_registry import AwkwardRegistry, serving
from tests.support.layers import file, layer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.image.image import Image
    from tests.support.registry import Registry as RunningRegistry

pytestmark = pytest.mark.once

ONE = Artifact("application/vnd.test.one+json", b'{"one": 1}', "one.json", {"test.kind": "one"})
TWO = Artifact("application/vnd.test.two+json", b'{"two": 2}')


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing, and have no credentials."""
    monkeypatch.setattr(connection, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(upload, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(referrers, "_PAUSE", 0.0)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return assemble([layer(tmp_path, file("text", b"app"), name="app")], {"Cmd": ["x"]}, Platform("linux", "amd64"))


@pytest.fixture
def strict() -> Iterator[AwkwardRegistry]:
    with serving(AwkwardRegistry()) as started:
        yield started


def opened(address: str, image: Image) -> Registry:
    """The repository ``team/app``, which has ``image``."""
    registry = Registry(f"{address}/team/app")
    registry.push(image, ["1"])
    return registry


def kinds(found: tuple[Any, ...]) -> list[str]:
    return [each["artifactType"] for each in found]


@pytest.mark.parametrize("knows", [True, False])
def test_what_is_attached_is_listed_and_is_not_attached_twice(
    strict: AwkwardRegistry, image: Image, *, knows: bool
) -> None:
    strict.referrers = knows
    with opened(strict.address, image) as registry:
        assert registry.referrers(image.digest) == ()
        for artifact in (ONE, TWO):
            assert registry.attach(image.digest, [attachment_of(artifact, image.descriptor)])[0] > 0
        assert kinds(registry.referrers(image.digest)) == [ONE.type, TWO.type]
        before = len(strict.requests)
        assert registry.attach(image.digest, [attachment_of(ONE, image.descriptor)]) == (0,)
        assert {method for method, _ in strict.requests[before:]} <= {"GET", "HEAD"}
    tag = referrers.fallback_tag(image.digest)
    assert (tag in strict.manifests["team/app"]) is not knows


def test_the_image_and_its_tag_stay_as_they_were(strict: AwkwardRegistry, image: Image) -> None:
    with opened(strict.address, image) as registry:
        registry.attach(image.digest, [attachment_of(ONE, image.descriptor)])
    assert strict.manifests["team/app"]["1"] == image.manifest_blob


def test_the_index_behind_the_tag_has_kind_and_annotations_and_keeps_what_others_have_put_there(
    strict: AwkwardRegistry, image: Image
) -> None:
    with opened(strict.address, image) as registry:
        registry.attach(image.digest, [attachment_of(ONE, image.descriptor)])
        other = attachment_of(TWO, image.descriptor)
        registry.attach(image.digest, [other])
    index = json.loads(strict.manifests["team/app"][referrers.fallback_tag(image.digest)])
    assert index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    one, two = index["manifests"]
    assert one["artifactType"] == ONE.type
    assert one["annotations"] == {"test.kind": "one"}
    assert two["digest"] == str(other.digest)
    assert two["size"] == len(other.manifest)


def test_one_that_another_pipeline_took_out_of_the_index_is_added_again(strict: AwkwardRegistry, image: Image) -> None:
    strict.forgets = 2
    with opened(strict.address, image) as registry:
        registry.attach(image.digest, [attachment_of(ONE, image.descriptor)])
        assert kinds(registry.referrers(image.digest)) == [ONE.type]
        strict.forgets = 99
        with pytest.raises(RegistryError, match="is not listed in team/app"):
            registry.attach(image.digest, [attachment_of(TWO, image.descriptor)])


def test_several_at_once_are_all_listed(strict: AwkwardRegistry, image: Image) -> None:
    strict.referrers = True
    artifacts = [Artifact(f"application/vnd.test.n{number}", b"x%d" % number) for number in range(4)]
    with opened(strict.address, image) as registry:
        attached = [attachment_of(each, image.descriptor) for each in artifacts]
        threads = [threading.Thread(target=registry.attach, args=(image.digest, [each])) for each in attached]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {*kinds(registry.referrers(image.digest))} == {each.type for each in artifacts}


def test_a_registry_that_takes_no_artifact_is_one_message_and_lists_nothing(
    strict: AwkwardRegistry, image: Image
) -> None:
    strict.artifacts = False
    with opened(strict.address, image) as registry:
        with pytest.raises(RegistryError, match="does not take what is pushed to team/app"):
            registry.attach(image.digest, [attachment_of(ONE, image.descriptor)])
        assert registry.referrers(image.digest) == ()


def test_a_tag_that_is_no_list_is_told(strict: AwkwardRegistry, image: Image) -> None:
    with opened(strict.address, image) as registry:
        strict.manifests["team/app"][referrers.fallback_tag(image.digest)] = b'{"layers": []}'
        with pytest.raises(RegistryError, match="is no list of what refers to that image"):
            registry.attach(image.digest, [attachment_of(ONE, image.descriptor)])


def test_a_real_registry_has_them(registry: RunningRegistry, image: Image) -> None:
    with opened(registry.address, image) as opened_registry:
        attachment = attachment_of(ONE, image.descriptor)
        assert opened_registry.attach(image.digest, [attachment])[0] > 0
        assert opened_registry.attach(image.digest, [attachment]) == (0,)
        (found,) = opened_registry.referrers(image.digest)
        assert found["digest"] == str(Digest.of(attachment.manifest))
        assert found["annotations"] == {"test.kind": "one"}


def test_an_attachment_is_the_same_every_time_and_says_no_more_of_its_subject_than_what_it_is(image: Image) -> None:
    attachment = attachment_of(ONE, image.descriptor)
    assert attachment == attachment_of(ONE, image.descriptor)
    manifest = json.loads(attachment.manifest)
    assert manifest["subject"] == {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": str(image.digest),
        "size": len(image.manifest_blob),
    }
    assert manifest["layers"][0]["annotations"] == {"org.opencontainers.image.title": "one.json"}
