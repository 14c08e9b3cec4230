"""The files that stayed as they were, though something was tried with them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cannery.tasks.report.text import human_size, styled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.image.tree import Decision

__all__ = ["decision_lines", "decisions_as_json"]


def decisions_as_json(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """The decisions in JSON's types: path, tried, why, and size in bytes."""
    return [asdict(each) for each in decisions]


def decision_lines(decisions: Iterable[Decision]) -> Iterator[str]:
    """The decisions in lines of text, the largest files first, grouped by what was tried and why it was not done."""
    groups: dict[tuple[str, str], list[Decision]] = {}
    for each in sorted(decisions, key=lambda each: (-each.size, each.path)):
        groups.setdefault((each.tried, each.why), []).append(each)
    if not groups:
        yield "\nNo file was left uncompiled or unstripped."
    for (tried, why), members in groups.items():
        yield f"\n{styled(tried, 'bold')}: not done, as {why}"
        yield from (f"  {human_size(each.size):>9}  {each.path}" for each in members)
