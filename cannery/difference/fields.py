"""Documents compared field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["FieldChange", "changed_fields"]

_ELSEWHERE: Final = {"rootfs"}  # what layers say of themselves


class FieldChange(NamedTuple):
    """A field of a configuration that isn't what it was."""

    name: str  # with those above it: "config.Env.PATH"
    before: Any  # a text, a number, an empty list or object; None where it isn't there
    after: Any


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields of two configurations that differ (OCI image-spec v1.1, config.md), but for the digests of layers."""
    old, new = (dict(_fields({k: v for k, v in each.items() if k not in _ELSEWHERE})) for each in (before, after))
    names = sorted({*old, *new} - {""})
    return tuple(FieldChange(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All that isn't made of others, by its name; variables of the environment are named by their own names."""
    match value:
        case dict() if value:
            for key, each in value.items():
                yield from _fields(each, f"{name}.{key}" if name else key)
        case list() if value and name.endswith("config.Env"):
            for each in value:
                variable, _, content = str(each).partition("=")
                yield f"{name}.{variable}", content
        case list() if value and any(isinstance(each, dict | list) for each in value):
            for number, each in enumerate(value):
                yield from _fields(each, f"{name}[{number}]")
        case _:
            yield name, value
