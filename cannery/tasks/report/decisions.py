"""What stayed as it was, though something was tried with it: a table for people, JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from cannery.image.tree import Decision

__all__ = ["decisions_as_json", "print_decisions"]


def decisions_as_json(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """The decisions in JSON's types: path, tried, why, and size in bytes."""
    return [asdict(each) for each in decisions]


def print_decisions(decisions: Iterable[Decision], console: Console) -> None:
    """Print the decisions, those on the largest files first, grouped by what was tried and why it was not done."""
    from rich.markup import escape  # noqa: PLC0415

    from cannery.tasks.report.image import human_size  # noqa: PLC0415

    groups: dict[tuple[str, str], list[Decision]] = {}
    for each in sorted(decisions, key=lambda each: (-each.size, each.path)):
        groups.setdefault((each.tried, each.why), []).append(each)
    if not groups:
        console.print("\nNothing stayed as it was that should have become smaller.")
    for (tried, why), members in groups.items():
        console.print(f"\n[bold]{escape(tried)}[/]: not done, as {escape(why)}")
        for each in members:
            console.print(f"  {human_size(each.size):>9}  {escape(each.path)}")
