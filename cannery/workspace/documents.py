"""JSON and TOML that somebody else wrote: whatever is wrong with a document is a :class:`ValueError`."""

from __future__ import annotations

from typing import Any

__all__ = ["json_value", "toml_tables"]

_TOO_DEEP = "it is nested too deeply"


def json_value(text: str | bytes) -> Any:
    """The value of a JSON text; raises :class:`ValueError` where it's none, or nested beyond what Python reads."""
    import json  # noqa: PLC0415

    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error


def toml_tables(text: str) -> dict[str, Any]:
    """The tables of a TOML text; raises :class:`ValueError` where it's none, or nested beyond what Python reads."""
    import tomllib  # noqa: PLC0415

    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
