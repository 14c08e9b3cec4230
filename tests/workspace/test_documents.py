"""Documents of others: whatever is wrong with one is one kind of error."""

from __future__ import annotations

import pytest

from cannery.workspace.documents import json_value, toml_tables

pytestmark = pytest.mark.once


def test_documents_are_read() -> None:
    assert json_value(b'{"a": [1]}') == {"a": [1]}
    assert toml_tables("a = [1]") == {"a": [1]}


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"a":' * 100_000, "nul", "9" * 5000])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_value(text)


@pytest.mark.parametrize("text", ["a", "a = " + "[" * 100_000, "a = " + "{b = " * 10_000, "a = " + "9" * 5000])
def test_what_is_no_toml_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        toml_tables(text)
