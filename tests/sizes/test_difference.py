"""An image against another: what has grown, and whether that is too much."""

from __future__ import annotations

import pytest

from cannery.errors import ConfigurationError, SizeError
from cannery.sizes.difference import SizesDifference, check_budget, check_growth
from cannery.sizes.layer_files import LayerFile
from cannery.sizes.parts import Bytes, ImageSizes, sizes_of

pytestmark = pytest.mark.once

SITE = "/usr/local/lib/python3.11/site-packages"


def image(version: str, **modules: int) -> ImageSizes:
    """An image of a distribution of that version, with modules of so many bytes, half of them when packed."""
    files = [LayerFile(f"{SITE}/tin/{name}.pyc", size, size // 2) for name, size in modules.items()]
    metadata = LayerFile(f"{SITE}/tin-{version}.dist-info/METADATA", 100, 50)
    return sizes_of(f"tin:{version}", "linux/amd64", {"dependencies": [*files, metadata]}, "/app")


def test_what_changed_is_told_with_what_became_of_it() -> None:
    found = SizesDifference(image("1", a=100, b=100, c=100), image("2", a=300, b=60, d=1000))
    assert [(each.name, each.how, each.growth) for each in found.changes] == [
        ("tin.d", "new", Bytes(1000, 500)),
        ("tin.a", "grown", Bytes(200, 100)),
        ("tin.b", "shrunk", Bytes(-40, -20)),
        ("tin.c", "gone", Bytes(-100, -50)),
    ]
    assert found.versions == {"tin": ("1", "2")}
    assert found.owners == {"tin": found.growth} == {"tin": Bytes(1060, 530)}


def test_the_same_image_has_no_changes() -> None:
    assert SizesDifference(image("1", a=100), image("1", a=100)).changes == ()


@pytest.mark.parametrize("most", ["500B", "50%", "1MB"])
def test_an_image_may_grow_by_as_much_as_is_allowed(most: str) -> None:
    check_growth(SizesDifference(image("1", a=2000), image("1", a=3000)), most)


@pytest.mark.parametrize("most", ["499", "47%", "0"])
def test_an_image_that_grew_by_more_is_told_with_what_has_grown(most: str) -> None:
    with pytest.raises(SizeError, match=r"tin:1 has grown by 500 bytes, and \d+ .* are allowed\n *500  tin\n"):
        check_growth(SizesDifference(image("1", a=2000), image("1", a=3000)), most)


def test_an_image_that_got_smaller_passes() -> None:
    check_growth(SizesDifference(image("1", a=3000), image("1", a=2000)), "0")


def test_what_is_no_growth_is_told() -> None:
    with pytest.raises(ConfigurationError, match="'a lot' is no growth"):
        check_growth(SizesDifference(image("1"), image("1", a=10)), "a lot")


def test_a_budget_is_held() -> None:
    check_budget(image("1", a=1900), "1kB")
    with pytest.raises(SizeError, match=r"takes 1,050 bytes to pull, and the budget is 1,000\n *1,050  tin 1\n"):
        check_budget(image("1", a=2000), "1kB")
