"""Modules that make their attributes when they are asked for (PEP 562): ``__getattr__`` at a module's top level."""

from __future__ import annotations

import ast

__all__ = ["module_getattr", "names_compared"]


def module_getattr(tree: ast.Module) -> ast.FunctionDef | None:
    """The function that is asked for what a module has not."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name="__getattr__", args=ast.arguments(args=[_])):
                return node
    return None


def names_compared(test: ast.expr, argument: str) -> tuple[str, ...]:
    """The strings of which ``argument`` is one where ``test`` holds; none where that isn't known."""
    match test:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant(value=str(text))]):
            return (text,) if name == argument else ()
        case ast.Compare(
            left=ast.Name(id=name), ops=[ast.In()], comparators=[ast.Tuple() | ast.List() | ast.Set() as several]
        ):
            texts = [each.value for each in several.elts if isinstance(each, ast.Constant)]
            strings = tuple(text for text in texts if isinstance(text, str))
            return strings if name == argument and len(strings) == len(several.elts) else ()
    return ()
