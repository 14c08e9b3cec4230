"""Leaks that people make are found, each kind by itself, and what only looks like one is not."""

from __future__ import annotations

import pytest

from cannery.audit.finding import Severity
from tests.support.bad_images import audited
from tests.support.near_misses import NEAR_MISSES
from tests.support.planted import LEAKS, Planted

pytestmark = pytest.mark.once


def alarms(planted: Planted) -> set[str]:
    """The rules that close the gate for the image."""
    found = audited(*planted.layers(), **planted.configuration())
    return {
        rule
        for rule, findings in found.items()
        for finding in findings
        if finding.severity >= Severity.HIGH and finding.path in {f"/{planted.path}".rstrip("/"), ""}
    }


@pytest.mark.parametrize("leak", LEAKS, ids=str)
def test_a_leak_closes_the_gate(leak: Planted) -> None:
    assert alarms(leak)


@pytest.mark.parametrize("near_miss", NEAR_MISSES, ids=str)
def test_what_only_looks_like_a_leak_does_not(near_miss: Planted) -> None:
    assert not alarms(near_miss)


def test_there_are_leaks_of_every_kind_in_number() -> None:
    assert len(LEAKS) >= 155
    assert len({leak.name for leak in LEAKS}) == len(LEAKS)
