"""What is wrong with a value that doesn't fit its schema, in the words of the file that it stands in: TOML's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec.inspect as schemas

from cannery.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    import msgspec

__all__ = ["explain"]

_PLACE = re.compile(r" - at (?P<key>`key` in )?`\$\.?(?P<path>.*)`$")  # msgspec's words
_STEP = re.compile(r"[^.\[\]]+|\[\d*(?:\.\.\.)?\]")  # of a path: "ports", "[0]", "[...]"
_NOTHING = object()


def explain(error: msgspec.ValidationError, values: object, schema: Any) -> tuple[str, str]:
    """The place of the first of ``values`` that doesn't fit ``schema``, such as ``ports[0]``, and what it has to be.

    The place is empty where the whole is wrong.
    """
    found = _PLACE.search(str(error))
    if found is None:
        return "", _complaint(schemas.type_info(schema), values)
    steps = _STEP.findall(found["path"])
    kind = _kind_at(schemas.type_info(schema), steps)
    if found["key"]:
        return found["path"], f"each name in it must be {_wanted(kind.key_type)}"
    if "missing required field" in str(error) or "unknown field" in str(error):
        return found["path"], str(error)[: found.start()].replace("Object", "the table").replace("field", "key")
    return found["path"], _complaint(kind, _value_at(values, steps))


def _complaint(kind: schemas.Type, value: object) -> str:
    if value is _NOTHING:
        return f"it must be {_wanted(kind)}"
    choices = [str(each) for each in _choices(kind)]
    hint = did_you_mean(value, choices) if isinstance(value, str) else ""
    return "\n".join(filter(None, (f"it is {_shown(value)}, and must be {_wanted(kind)}", hint)))


def _wanted(kind: schemas.Type) -> str:
    """The values that ``kind`` has, described."""
    match kind:
        case schemas.Metadata(extra_json_schema={"description": str(description)}):
            return description
        case schemas.UnionType():
            return " or ".join(_wanted(each) for each in kind.types if not isinstance(each, schemas.NoneType))
        case schemas.LiteralType():
            return " or ".join(json.dumps(value) for value in kind.values)
        case schemas.IntType():
            return _integer(kind.ge, kind.le)
        case schemas.VarTupleType():
            return f"an array; each of its values: {_wanted(kind.item_type)}"
        case _:
            return _simple(kind)


def _simple(kind: schemas.Type) -> str:
    if isinstance(kind, schemas.StrType):
        return "a string that isn't empty" if kind.min_length else "a string"
    return "true or false" if isinstance(kind, schemas.BoolType) else "a table"


def _integer(least: int | None, most: int | None) -> str:
    bounds = (f" from {least}" if least is not None else "") + (f" to {most}" if most is not None else "")
    return f"an integer{bounds}"


def _choices(kind: schemas.Type) -> Iterator[object]:
    if isinstance(kind, schemas.LiteralType):
        yield from kind.values
    elif isinstance(kind, schemas.UnionType):
        for each in kind.types:
            yield from _choices(each)


def _shown(value: object) -> str:
    """``value`` as TOML has it; a table or an array by its kind alone."""
    match value:
        case dict():
            return "a table"
        case list() | tuple():
            return "an array"
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def _kind_at(kind: schemas.Type, steps: list[str]) -> Any:
    """The schema of what lies at the end of ``steps`` within ``kind``."""
    for step in steps:
        match kind:
            case schemas.UnionType():
                inner = next((each for each in kind.types if not isinstance(each, schemas.NoneType)), kind)
            case _:
                inner = kind
        match inner:
            case schemas.StructType():
                kind = next((field.type for field in inner.fields if field.encode_name == step), inner)
            case schemas.VarTupleType():
                kind = inner.item_type
            case schemas.DictType():
                kind = inner.value_type
    return kind


def _value_at(values: object, steps: list[str]) -> object:
    """What lies at the end of ``steps`` within ``values``; :data:`_NOTHING` below a key that isn't told."""
    for step in steps:
        number = step.strip("[]")
        if isinstance(values, dict) and step in values:
            values = values[step]
        elif isinstance(values, list | tuple) and step.startswith("[") and number.isdigit():
            values = values[int(number)]
        else:
            return _NOTHING
    return values
