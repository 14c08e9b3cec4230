"""What reports say at their end."""

from __future__ import annotations

import pytest

from cannery.recipes.notes import notes_on_start_modules

pytestmark = pytest.mark.once


def test_what_only_a_path_of_modules_would_start_is_told() -> None:
    (note,) = notes_on_start_modules(["sitecustomize", "traced", "traced.sitecustomize", "traced.sitecustomize.more"])
    assert note.startswith("traced starts others with its sitecustomize on PYTHONPATH")
