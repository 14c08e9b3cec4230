"""Functions that are called only when their module is started as a program: its command line, or its test."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cannery.imports.conditions import Conditions

__all__ = ["only_for_main"]


def only_for_main(tree: ast.Module, conditions: Conditions) -> frozenset[str]:
    """The functions that are used below ``if __name__ == "__main__"``, and nowhere else in the module.

    Other modules may still ask for those without an underscore. A function with a decorator is none of them: the
    decorator may have told others of it.
    """
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.decorator_list}
    guards = [node for node in tree.body if isinstance(node, ast.If) and conditions.truth(node.test) is False]
    if not guards or not functions:
        return frozenset()
    run = _used((node for guard in guards for node in guard.body), functions)
    others = [node for node in tree.body if node not in guards and getattr(node, "name", None) not in run]
    others += [node for guard in guards for node in guard.orelse]
    return run - _used(others, functions) if run else run


def _used(nodes: Iterable[ast.AST], functions: Mapping[str, ast.FunctionDef]) -> frozenset[str]:
    """The names of ``functions`` that ``nodes`` use, directly or through one another."""
    used: set[str] = set()
    pending = list(nodes)
    while pending:
        for node in ast.walk(pending.pop()):
            if isinstance(node, ast.Name) and node.id in functions and node.id not in used:
                used.add(node.id)
                pending.append(functions[node.id])
    return frozenset(used)
