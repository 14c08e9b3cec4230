"""Reports of tasks: lines of text for people, JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Report", "print_json", "print_report"]


class Report(Protocol):
    """The result of a task, as it is shown."""

    def as_json(self) -> Any:
        """The report in JSON's types; sizes are bytes."""
        ...

    def lines(self) -> Iterable[str]:
        """The report in lines of text."""
        ...


def print_report(report: Report, *, json: bool) -> None:
    """Print ``report`` on standard output: as text, or all of it as JSON."""
    from cannery.workspace.streams import say  # noqa: PLC0415

    if json:
        print_json(report.as_json())
    else:
        say("\n".join(report.lines()))


def print_json(value: object) -> None:
    """Print ``value``, in JSON's types, on standard output."""
    import json  # noqa: PLC0415

    print(json.dumps(value, indent=2))
