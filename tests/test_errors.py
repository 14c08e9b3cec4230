"""Errors as people see them."""

from __future__ import annotations

import pytest

from cannery.errors import CanneryError

pytestmark = pytest.mark.once


def test_an_error_says_what_happened_with_the_evidence_and_the_next_step() -> None:
    error = CanneryError("it broke", evidence="one\ntwo\n", step="mend it")
    assert str(error).splitlines() == ["it broke", "  one", "  two", "Next: mend it"]


def test_passwords_in_addresses_are_not_shown() -> None:
    assert str(CanneryError("x", evidence="https://me:secret@host/")) == "x\n  https://****@host/"


def test_what_is_very_long_is_cut() -> None:
    lines = str(CanneryError("x" * 10_000, evidence="y" * 10_000 + "\n" + "z\n" * 1000, step="go on")).splitlines()
    assert all(len(line) < 2100 for line in lines)
    assert lines[-2:] == ["  … and 801 lines more", "Next: go on"]
