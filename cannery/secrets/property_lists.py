"""The texts of Apple's binary property lists (plist(5)): a name and its value to each line."""

from __future__ import annotations

import io
import json
import plistlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.secrets.budget import Budget

__all__ = ["inside_property_list"]

_LARGEST: Final = 1 << 24  # bytes of a list that is read: its values are as many at most


def inside_property_list(stream: BinaryIO, budget: Budget) -> Iterator[tuple[str, BinaryIO]]:
    """The texts of a property list, those of a dictionary beside their names."""
    data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        budget.exceeded = True
        return
    try:
        root = plistlib.loads(data, fmt=plistlib.FMT_BINARY)
    except Exception:  # noqa: BLE001  # a damaged one ends wherever, and nothing of it was read
        return
    yield "a property list", io.BytesIO("\n".join(_lines(root)).encode("utf-8", "replace"))


def _lines(root: object) -> Iterator[str]:
    """The texts below ``root``; a value that is referred to again is passed over, or a small list could be endless."""
    seen: set[int] = set()
    left: list[tuple[str, Any]] = [("", root)]
    while left:
        name, value = left.pop()
        match value:
            case str() | bytes():
                text = value if isinstance(value, str) else value.decode("utf-8", "replace")
                yield json.dumps({name: text} if name else text)
            case dict() | list() if id(value) not in seen:
                seen.add(id(value))
                inner = value.items() if isinstance(value, dict) else ((name, each) for each in value)
                left.extend((str(key), each) for key, each in inner)
