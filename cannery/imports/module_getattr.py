"""``__getattr__`` at the top level of a module, which makes attributes when they are asked for (PEP 562)."""

from __future__ import annotations

import ast

__all__ = ["calls", "is_made_elsewhere", "module_getattr", "names_compared"]


def module_getattr(tree: ast.Module) -> ast.FunctionDef | None:
    """The function ``__getattr__`` of a module; None where it has none."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(name="__getattr__", args=ast.arguments(args=[_])):
                return node
    return None


def is_made_elsewhere(tree: ast.Module) -> bool:
    """True where a call makes a module's ``__getattr__``: ``__getattr__, __dir__ = lazy(__name__, [".part"])``."""
    pending: list[ast.stmt] = [*tree.body]
    while pending:
        match pending.pop():
            case ast.Assign(targets=targets, value=ast.Call()) if "__getattr__" in _names_in(targets):
                return True
            case ast.If(body=body, orelse=others) | ast.Try(body=body, orelse=others):
                pending += [*body, *others]
    return False


def _names_in(targets: list[ast.expr]) -> set[str]:
    return {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}


def calls(statement: ast.stmt) -> bool:
    """True for a statement that calls anything, but for the exception that it raises."""
    if isinstance(statement, ast.Raise):
        return False
    return any(
        isinstance(each, ast.Call)
        for part in ast.iter_child_nodes(statement)
        for each in ([] if isinstance(part, ast.Raise) else ast.walk(part))
    )


def names_compared(test: ast.expr, argument: str) -> tuple[str, ...]:
    """The strings that ``test`` compares ``argument`` with; empty for a test of another kind."""
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
