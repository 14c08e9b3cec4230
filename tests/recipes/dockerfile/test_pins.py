"""The versions that Dockerfiles install are those that the tests run with."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from cannery.recipes.dockerfile import pins

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[3]


def test_the_pins_are_those_of_the_lock() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    versions = {each["name"]: each.get("version") for each in locked}  # the project itself has none
    pinned = dict(pin.split("==") for pin in (pins.UV, pins.SETUPTOOLS, pins.CYTHON, *pins.FREEZING))
    assert pinned == {name: versions[name] for name in pinned}


def test_poetry_is_the_one_that_reads_locks() -> None:
    text = (ROOT / "cannery" / "project" / "poetry.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^[a-z].*?==[^ ]+", text, re.MULTILINE)
    assert set(pins.POETRY.split()) <= set(listed)
    assert text.count("--hash=sha256:") >= len(listed)


def test_every_python_that_cannery_names_is_known() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [text.rpartition(" ")[2] for text in project["classifiers"] if "Python :: 3." in text]
    assert set(named) <= set(pins.PYTHONS)
