"""Platforms by every name that there is for them."""

from __future__ import annotations

import os

import pytest

from cannery.errors import ImageError, RuntimeTreeError
from cannery.image.platform import MACHINES, TRIPLETS, Platform, machine_platform, platform_of_uname

pytestmark = pytest.mark.once


@pytest.mark.parametrize("text", ["linux/amd64", "linux/arm/v7"])
def test_a_platform_is_written_as_it_is_read(text: str) -> None:
    platform = Platform.parse(text)
    assert str(platform) == text
    assert Platform.from_json(platform.as_json()) == platform


@pytest.mark.parametrize("text", ["linux", "linux/", "/amd64", "linux/arm/v7/more"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(ImageError, match="not a platform"):
        Platform.parse(text)


def test_documents_without_a_variant_name_none() -> None:
    assert Platform.from_json({"os": "linux", "architecture": "amd64", "variant": None}).as_json() == {
        "os": "linux",
        "architecture": "amd64",
    }


@pytest.mark.parametrize(
    ("image", "machine", "runs"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "linux/arm64", False),
        ("windows/amd64", "linux/amd64", False),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm/v6", "linux/arm/v7", True),
        ("linux/arm/v7", "linux/arm/v6", False),
        ("linux/arm/v7", "linux/arm", True),
        ("linux/amd64/v3", "linux/amd64", False),
        ("linux/amd64", "linux/amd64/v1", True),
    ],
)
def test_an_image_runs_where_no_more_is_asked_of_the_processor(image: str, machine: str, *, runs: bool) -> None:
    assert Platform.parse(image).runs_on(Platform.parse(machine)) == runs


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/amd64", "linux/arm64", False),
    ],
)
def test_a_variant_that_is_not_told_agrees_with_any(one: str, other: str, *, agree: bool) -> None:
    assert Platform.parse(one).agrees(Platform.parse(other)) == agree
    assert Platform.parse(other).agrees(Platform.parse(one)) == agree


@pytest.mark.parametrize(
    ("name", "platform"),
    [("x86_64", "linux/amd64"), ("aarch64", "linux/arm64"), ("arm64", "linux/arm64"), ("armv7l", "linux/arm/v7")],
)
def test_a_machine_is_known_by_its_kernel_s_name(name: str, platform: str) -> None:
    assert str(platform_of_uname("linux", name)) == platform


def test_a_machine_that_images_have_no_name_for_is_an_error() -> None:
    with pytest.raises(RuntimeTreeError, match="no name for the architecture 'pdp11'"):
        platform_of_uname("linux", "pdp11")


def test_this_machine_is_in_the_table() -> None:
    assert machine_platform() == platform_of_uname("linux", os.uname().machine)


def test_no_name_stands_for_two_machines() -> None:
    for names in (
        [each.architecture for each in MACHINES],
        [each.elf for each in MACHINES],
        [name for each in MACHINES for name in each.uname],
        [*TRIPLETS.values()],
    ):
        assert len(names) == len(set(names))
