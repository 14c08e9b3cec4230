"""The report of the settings in force: each with its value and its origin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.tasks.report.text import aligned, styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.project.settings import Settings

__all__ = ["SettingsReport"]


@dataclass(frozen=True, slots=True)
class SettingsReport:
    """The settings, and the origins of those that aren't defaults."""

    settings: Settings
    origins: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        return {name: {"value": value, "from": origin} for name, value, origin in self._rows()}

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        rows = (
            (name, json.dumps(value), styled(origin, "dim") if origin == "default" else origin)
            for name, value, origin in self._rows()
        )
        return aligned([("setting", "value", "from"), *rows])

    def _rows(self) -> Iterator[tuple[str, Any, str]]:
        for name, value in msgspec.to_builtins(self.settings).items():
            yield name, value, self.origins.get(name, "default")
