"""Run by the Python that a source is for: prints the source's syntax tree as JSON, in the grammar of Python 3.11.

Reads the source from standard input. The answer is a list of nodes, each after those in it: its class, its line, and
its fields, in which a node stands as ``{"node": number}`` and a constant that JSON hasn't as ``{"repr": text}``. Where
the source is no Python, it's ``{"message": …, "line": …, "text": …}``.
"""

from __future__ import annotations

import ast
import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Classes of nodes that Python 3.11 hasn't -> those that say the same of a program's names, strings and imports
OLDER = {"TypeAlias": "Assign", "TemplateStr": "JoinedStr", "Interpolation": "FormattedValue"}
NEWER_FIELDS = {"type_params", "str"}  # parameters of types, the text of an interpolation


def written(node: ast.AST, nodes: list[Any]) -> int:
    """Write ``node`` after what lies in it; returns its number."""
    kind = type(node).__name__
    fields = {name: encoded(value, nodes) for name, value in ast.iter_fields(node) if name not in NEWER_FIELDS}
    if kind == "TypeAlias":
        fields = {"targets": [fields["name"]], "value": fields["value"]}
    nodes.append([OLDER.get(kind, kind), getattr(node, "lineno", 0), fields])
    return len(nodes) - 1


def encoded(value: object, nodes: list[Any]) -> object:
    """The value of a field: nodes by their numbers, constants by what they are."""
    if isinstance(value, ast.AST):
        return {"node": written(value, nodes)}
    if isinstance(value, list):
        return [encoded(each, nodes) for each in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return {"repr": "..." if value is ... else repr(value)}


def main() -> None:
    """Parse standard input, and print what it is."""
    sys.setrecursionlimit(100_000)
    nodes: list[Any] = []
    try:
        written(ast.parse(sys.stdin.buffer.read()), nodes)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = getattr(error, "msg", None) or str(error)
        text = (getattr(error, "text", None) or "").strip()
        print(json.dumps({"message": message, "line": getattr(error, "lineno", None) or 0, "text": text}))  # noqa: T201
    else:
        print(json.dumps(nodes))  # noqa: T201


if __name__ == "__main__":
    main()
