"""What was noted of a source becomes what it mentions."""

from __future__ import annotations

import pytest

from cannery.imports.found import Gathered
from cannery.imports.model import Import

pytestmark = pytest.mark.once


def test_strings_are_sorted_by_what_they_may_be() -> None:
    found = Gathered(strings={"a.b", "a.b:c", "word", ".word", "some words", "a.b." + "c" * 120, "x-y", "1.2"})
    assert found.mentions().dotted == {"a.b", "a.b:c"}
    assert found.mentions().words == frozenset()
    found.loads = True
    assert found.mentions().words == {"word", ".word", "x-y"}


def test_names_in_strings_may_be_attributes() -> None:
    found = Gathered(strings={"module:attribute", "a.b.c", "no words"}, attributes={"x"})
    assert found.mentions().attributes == {"module.attribute", "a.b.c", "x"}


def test_parts_of_names_count_where_modules_are_loaded_by_name() -> None:
    found = Gathered(below={"a."}, after={".b"}, opens=True, discovers=True)
    assert found.mentions().below == {"."}
    assert not found.mentions().after
    assert not found.mentions().opens
    found.loads = True
    assert found.mentions().below == {"a.", "."}
    assert found.mentions().after == {".b"}
    assert found.mentions().opens


def test_an_import_that_stands_twice_counts_once_and_their_order_stays() -> None:
    found = Gathered(imports=[Import("b"), Import("a"), Import("b")], dynamic=[9, 3, 9])
    assert found.mentions().imports == (Import("b"), Import("a"))
    assert found.mentions().dynamic == (3, 9)
