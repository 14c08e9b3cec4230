"""What a registry can, tried at registries that can't do one thing each, and at a real one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cannery.errors import RegistryError
from cannery.image.media.registry import Registry
from cannery.image.registry import connection, upload
from tests.support.awkward_registry import AwkwardRegistry, serving
from tests.support.command import assert_refused, cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.registry import Registry as RunningRegistry

pytestmark = pytest.mark.once

ALL = ["push", "chunks", "mount", "artifacts", "tags that move", "referrers", "delete", "delete blobs"]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(connection, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(upload, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setenv("HOME", str(tmp_path))


def lacking(registry: AwkwardRegistry) -> dict[str, str]:
    with Registry(f"{registry.address}/team/app") as medium:
        abilities = list(medium.abilities())
    assert [each.name for each in abilities] == ALL
    return {each.name: each.evidence for each in abilities if not each.there}


@pytest.mark.parametrize(
    ("ways", "name", "told"),
    [
        ({"largest_body": 1 << 20}, "chunks", "413"),
        ({"mounts": False}, "mount", "the blob is to be sent"),
        ({"fixed_tags": True}, "tags that move", "409 TAG_INVALID: the tag is immutable"),
        ({"referrers": False}, "referrers", "404: the tag sha256-"),
    ],
    ids=str,
)
def test_what_a_registry_cannot_is_said_with_its_answer(ways: dict[str, object], name: str, told: str) -> None:
    with serving(AwkwardRegistry(**{"referrers": True, **ways})) as registry:  # type: ignore[arg-type]
        found = lacking(registry)
    assert list(found) == [name]
    assert told in found[name]


def test_nothing_stays_where_it_can_be_removed() -> None:
    with serving(AwkwardRegistry(referrers=True, tokens_last=100)) as registry:
        assert lacking(registry) == {}
    assert registry.manifests["team/app"] == {}
    with serving(AwkwardRegistry(referrers=True, deletes=False)) as registry:
        assert lacking(registry).keys() == {"delete", "delete blobs"}
    assert "cannery-check" in registry.manifests["team/app"]


def test_a_registry_that_takes_images_alone_is_one_that_pushes_go_to() -> None:
    with serving(AwkwardRegistry(artifacts=False)) as registry:
        assert lacking(registry).keys() == {"artifacts", "tags that move", "referrers"}


def test_one_that_takes_nothing_is_an_error() -> None:
    with serving(AwkwardRegistry(full=True)) as registry, pytest.raises(RegistryError, match="does not take what is"):
        lacking(registry)


@pytest.mark.slow
def test_the_command_says_it_of_a_real_registry(registry: RunningRegistry, tmp_path: Path) -> None:
    name = f"{registry.address}/team/check"
    done = cannery("registry-check", "--", name, cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert "note     referrers: what is attached to an image is found by a tag" in done.stdout
    found = json.loads(cannery("registry-check", "--json", "--repository", name, cwd=tmp_path).stdout)
    assert [name for name, ability in found["abilities"].items() if not ability["can"]] == ["referrers"]


def test_a_repository_has_to_be_named(tmp_path: Path) -> None:
    assert "nothing says which repository to try" in assert_refused(cannery("registry-check", cwd=tmp_path), 2)
    assert "is of one repository" in assert_refused(cannery("registry-check", "--", "a", "b", cwd=tmp_path), 2)
    assert "can't be reached" in assert_refused(cannery("registry-check", "--", "127.0.0.1:1/a", cwd=tmp_path), 10)
