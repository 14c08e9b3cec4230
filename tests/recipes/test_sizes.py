"""Layers are told apart by name, whoever made them."""

from __future__ import annotations

import pytest

from cannery.recipes.sizes import layer_names

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("made_by", "names"),
    [
        (["cannery: runtime", "cannery: app"], ["runtime", "app"]),
        (["COPY . /", "cannery: app"], ["layer 1", "app"]),
        (["cannery: runtime", "cannery: app", "cannery: app"], ["runtime", "app (2)", "app (3)"]),
        (["one entry"], ["layer 1", "layer 2"]),  # of two layers: the history doesn't fit
    ],
)
def test_no_two_layers_have_one_name(made_by: list[str], names: list[str]) -> None:
    history = [{"created_by": "ENV A=b", "empty_layer": True}, *({"created_by": each} for each in made_by)]
    assert layer_names({"history": history}, len(names)) == names
