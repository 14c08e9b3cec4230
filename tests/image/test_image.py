"""Layers become an image, whose configuration and digests follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ImageError
from cannery.image.image import CREATED_BY, Base, assemble, canonical_json, image_of
from cannery.image.platform import Platform
from cannery.workspace.digest import Digest
from tests.support.layers import file, layer

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.image.layer import Layer

pytestmark = pytest.mark.once

PLATFORM = Platform("linux", "arm64", "v8")


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Layer, ...]:
    return (layer(tmp_path, file("a", b"1"), name="runtime"), layer(tmp_path, file("b", b"2"), name="app"))


@pytest.fixture
def base(tmp_path: Path) -> Base:
    """A base of one layer, whose history has nothing to say of it."""
    lowest = layer(tmp_path, file("base"), name="base-1")
    return Base("b:1", Digest.of(b"i"), Digest.of(b"m"), (lowest,), {"config": {"User": "7"}}, PLATFORM)


def test_the_digests_are_those_of_the_documents(layers: tuple[Layer, ...]) -> None:
    image = assemble(layers, {"User": "7"}, PLATFORM)
    assert image.id == Digest.of(canonical_json(image.config))
    assert image.digest == Digest.of(canonical_json(image.manifest))
    assert image.manifest["config"]["digest"] == str(image.id)
    assert image.config["variant"] == "v8"


def test_the_history_says_of_each_layer_what_pruning_knows_it_by(layers: tuple[Layer, ...], base: Base) -> None:
    history = assemble(layers, {}, PLATFORM, base).config["history"]
    assert [entry["created_by"] for entry in history] == ["base", f"{CREATED_BY}runtime", f"{CREATED_BY}app"]
    assert CREATED_BY == "cannery: "  # images of earlier builds say so, too


def test_a_base_alone_is_an_image(base: Base) -> None:
    image = image_of(base)
    assert image.layers == base.layers
    assert image.config["config"] == {"User": "7"}


def test_more_layers_than_engines_take_are_an_error(layers: tuple[Layer, ...], base: Base) -> None:
    with pytest.raises(ImageError, match="would have 129 layers, and engines take 127") as raised:
        assemble(layers * 64, {}, PLATFORM, base)
    assert raised.value.evidence == "1 of them are the base's"


def test_the_time_is_fixed_or_the_one_that_reproducible_builds_org_names(
    layers: tuple[Layer, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert assemble(layers, {}, PLATFORM).config["created"] == "1970-01-01T00:00:01Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert assemble(layers, {}, PLATFORM).config["created"] == "1970-01-02T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ConfigurationError, match="SOURCE_DATE_EPOCH='yesterday' is no number of seconds"):
        assemble(layers, {}, PLATFORM)
