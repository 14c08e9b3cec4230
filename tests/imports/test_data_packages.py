"""Packages of nothing but data go with the package that they lie in."""

from __future__ import annotations

import pytest

from cannery.imports.data_packages import data_packages
from cannery.imports.places import find_modules
from tests.support.places import place_of

pytestmark = pytest.mark.once


def found(files: dict[str, str]) -> dict[str, tuple[str, ...]]:
    places = [place_of("dependencies", "/site", files)]
    return {package: inside for package, inside in data_packages(places, find_modules(places)).items() if inside}


def test_a_package_with_data_and_no_code_is_one() -> None:
    files = {"a/__init__.py": "", "a/code.py": "", "a/zones/__init__.py": "'A docstring.'\n", "a/zones/Rome": ""}
    assert found(files) == {"a": ("a.zones",)}


def test_so_is_one_with_nothing_but_such_packages_in_it() -> None:
    files = {"z/__init__.py": "", "z/x": "", "z/in/__init__.py": "", "z/in/y": ""}
    assert found(files) == {"": ("z",), "z": ("z.in",)}


@pytest.mark.parametrize(
    "files",
    [
        {"a/__init__.py": "x = 1", "a/data": ""}, {"a/__init__.py": "", "a/data": "", "a/b.py": ""},
        {"a/__init__.py": "", "a/native.c": ""},
        {"a/__init__.py": "no Python", "a/data": ""}, {"a/data": "", "a/b.py": ""},
    ],
    ids=["code", "a module in it", "no data", "no Python", "a namespace"],
)  # fmt: skip
def test_others_are_none(files: dict[str, str]) -> None:
    assert found(files) == {}
