"""The lines of a source that import modules, and whether the program goes on where one is missing."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ImportLine", "import_lines"]

_CAUGHT = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One import statement."""

    line: int
    words: frozenset[str]  # the parts of the names in it
    guarded: bool  # something catches its failure, or only type checkers read it
    deferred: bool  # it's run when a function is called


def import_lines(tree: ast.Module) -> Iterator[ImportLine]:
    """The import statements of a module, in their order."""
    return _in_block(tree.body, guarded=False, deferred=False)


def _in_block(body: Iterable[ast.stmt], *, guarded: bool, deferred: bool) -> Iterator[ImportLine]:
    for node in body:
        match node:
            case ast.Import(names=names):
                words = frozenset(part for alias in names for part in alias.name.split("."))
                yield ImportLine(node.lineno, words, guarded, deferred)
            case ast.ImportFrom(names=names):
                words = frozenset([*(node.module or "").split("."), *(alias.name for alias in names)])
                yield ImportLine(node.lineno, words, guarded, deferred)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _in_block(node.body, guarded=guarded, deferred=True)
            case ast.Try() | ast.TryStar():
                caught = guarded or any(map(_catches, node.handlers))
                inner = [*node.body, *node.orelse, *(each for handler in node.handlers for each in handler.body)]
                yield from _in_block(inner, guarded=caught, deferred=deferred)
                yield from _in_block(node.finalbody, guarded=guarded, deferred=deferred)
            case _:
                less = guarded or _is_for_type_checkers(node) or _suppresses(node)
                yield from _in_block(_statements_in(node), guarded=less, deferred=deferred)


def _statements_in(node: ast.AST) -> Iterator[ast.stmt]:
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.stmt):
            yield part
        elif isinstance(part, ast.match_case):
            yield from part.body


def _catches(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or _last_name(kind) in _CAUGHT for kind in kinds)


def _is_for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING"


def _suppresses(node: ast.stmt) -> bool:
    """True for ``with suppress(ImportError)``."""
    if not isinstance(node, ast.With):
        return False
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    return any(_last_name(each.func) == "suppress" and _CAUGHT & set(map(_last_name, each.args)) for each in calls)


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
