"""Entry points of what is installed."""

from __future__ import annotations

import pytest

from cannery.imports.entry_points import entry_points, metadata_read
from tests.support.places import place_of, tree_of

pytestmark = pytest.mark.once

_TEXT = """
[plugins]
one = a.b:Class.method [extra]
two = c
[console_scripts]
tool = d:main
"""


def test_modules_and_attributes_are_told_by_group_and_scripts_are_left_out() -> None:
    files = {"a-1.dist-info/entry_points.txt": _TEXT, "b-1.dist-info/entry_points.txt": "[plugins]\nfour: x = e:f\n"}
    files["other.dist-info/RECORD"] = "[plugins]\nfive = no\n"
    found = entry_points([place_of("dependencies", "/site", files)])
    assert found == {"plugins": {("a.b", "Class"), ("c", ""), ("e", "f")}}


def test_a_file_that_importlib_metadata_cannot_read_has_none() -> None:
    files = {"a-1.dist-info/entry_points.txt": f"{_TEXT}[broken]\nthree\n"}
    assert entry_points([place_of("dependencies", "/site", files)]) == {}


def test_what_importlib_metadata_reads_is_there_where_that_is_reached() -> None:
    names = ["a-1.dist-info/METADATA", "a-1.dist-info/entry_points.txt", "a-1.dist-info/RECORD", "a/METADATA"]
    tree = tree_of({f"/site/{name}": "" for name in names}).tree
    assert [*metadata_read(tree, {"importlib.metadata"})] == [f"/site/{name}" for name in names[:2]]
    assert [*metadata_read(tree, {"importlib"})] == []
