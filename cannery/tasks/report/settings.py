"""The report of the settings in force: each with its value and its origin, and what was found in place of some."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.tasks.report.text import aligned, styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.project.app import Found
    from cannery.project.settings import Settings

__all__ = ["SettingsReport"]


@dataclass(frozen=True, slots=True)
class SettingsReport:
    """The settings, the origins of those that aren't defaults, and what the project's files have in their place."""

    settings: Settings
    origins: Mapping[str, str]
    found: tuple[Found, ...] = ()
    refused: str | None = None  # why a build would be refused, where it would

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        return {name: {"value": value, "from": origin} for name, value, origin in self._rows()}

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        rows = (
            (name, json.dumps(value), styled(origin, "dim") if origin == "default" else origin)
            for name, value, origin in self._rows()
        )
        yield from aligned([("setting", "value", "from"), *rows])
        if self.refused:
            yield f"{styled('note', 'yellow')}     {self.refused}"

    def _rows(self) -> Iterator[tuple[str, Any, str]]:
        found = {each.what: each for each in self.found}
        for name, value in msgspec.to_builtins(self.settings).items():
            if name in found and name not in self.origins:
                yield name, found[name].value, f"found in {found[name].source}"
            else:
                yield name, value, self.origins.get(name, "default")
            below = (each for what, each in found.items() if what.startswith(f"{name}."))
            yield from ((each.what, each.value, f"found in {each.source}") for each in below)
