"""An image in a registry, as a medium."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ImageError, RegistryError, ToolError
from cannery.image.media.registry import Registry
from cannery.workspace.digest import Digest
from tests.support.fake_registry import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.fake_registry import Fake

pytestmark = pytest.mark.once

MANIFEST = json.dumps({"schemaVersion": 2}).encode()


@pytest.fixture
def fake() -> Iterator[Fake]:
    with running() as server:
        server.answer = lambda _: (200, {"Docker-Content-Digest": str(Digest.of(MANIFEST))}, MANIFEST)
        yield server


def test_nothing_is_asked_before_something_is_read(fake: Fake) -> None:
    with Registry(f"{fake.address}/team/app:1") as medium:
        assert fake.requests == []
        assert medium.root() == MANIFEST
    assert [each.path for each in fake.requests] == ["/v2/team/app/manifests/1"]


def test_a_medium_that_nobody_reads_needs_no_registry() -> None:
    with Registry("registry.invalid/team/app:1") as medium:
        assert str(medium.reference) == "registry.invalid/team/app:1"


def test_a_manifest_is_compared_with_the_digest_in_the_name(fake: Fake) -> None:
    with Registry(f"{fake.address}/team/app@{Digest.of(MANIFEST)}") as medium:
        assert medium.root() == MANIFEST
    other = Digest.of(b"other")
    with Registry(f"{fake.address}/team/app@{other}") as medium, pytest.raises(ImageError, match="something else"):
        medium.root()


def test_the_digest_of_a_tag_is_asked_for_alone(fake: Fake) -> None:
    with Registry(f"{fake.address}/team/app:1") as medium:
        assert medium.digest() == str(Digest.of(MANIFEST))
    assert [each.method for each in fake.requests] == ["HEAD"]


def test_a_name_that_is_none_and_a_registry_that_is_none_are_told() -> None:
    with pytest.raises(ConfigurationError, match="is no name of an image"):
        Registry("No Name").root()
    with running() as gone:
        pass
    with pytest.raises(RegistryError, match="can't be reached"):
        Registry(f"{gone.address}/team/app:1").root()


def test_the_extra_that_it_needs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolError, match="is not installed") as raised:
        Registry("python:3.11-slim").root()
    assert '[registry]"' in raised.value.step
