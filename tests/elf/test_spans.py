from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannery.elf.spans import Span, merged, subtracted

pytestmark = pytest.mark.once

spans = st.lists(st.builds(Span.sized, st.integers(0, 60), st.integers(0, 9)), max_size=12)


def members(some: list[Span]) -> set[int]:
    return {number for span in some for number in range(span.start, span.stop)}


@given(spans)
def test_merged_spans_hold_the_same_bytes_and_do_not_touch(some: list[Span]) -> None:
    result = merged(some)
    assert members(result) == members(some)
    assert all(left.stop < right.start for left, right in pairwise(result))


@given(spans, spans)
def test_what_is_subtracted_is_gone_and_nothing_else(some: list[Span], others: list[Span]) -> None:
    rest = subtracted(merged(some), merged(others))
    assert members(rest) == members(some) - members(others)
    assert rest == merged(rest)
