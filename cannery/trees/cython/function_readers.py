"""Decorators that take functions of Python's own alone: a module that uses one fails when it's compiled.

They look for the type ``types.FunctionType`` or read bytecode, and a compiled function has neither. What fails only
then, when the program runs, is refused while it's built.
"""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Final

from cannery.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.trees.cython.extensions import ModuleSource

__all__ = ["FUNCTION_READERS", "function_readers", "refuse_function_readers"]

# By the name that they're imported by; the keyword with which one does without, or nothing.
FUNCTION_READERS: Final[Mapping[str, str]] = {
    "numba.cfunc": "",
    "numba.guvectorize": "",
    "numba.jit": "",
    "numba.njit": "",
    "numba.stencil": "",
    "numba.vectorize": "",
    "pydantic.computed_field": "return_type",
    "pydantic.validate_call": "",
}
_HINTS: Final = tuple({name.encode().rpartition(b".")[2] for name in FUNCTION_READERS})


def refuse_function_readers(sources: Iterable[ModuleSource]) -> None:
    """Raise :class:`ProjectError` where one of ``sources`` decorates a function by one of :data:`FUNCTION_READERS`."""
    found: dict[str, list[str]] = {}
    for source in sources:
        with source.file.content.open() as stream:
            text = stream.read()
        if any(hint in text for hint in _HINTS):
            for line, name in function_readers(text):
                said = f"{source.shown}:{line}: {name} takes functions of Python's own, and refuses compiled ones"
                found.setdefault(source.name, []).append(said)
    if found:
        names = json.dumps([*found])
        raise ProjectError(
            f"{next(iter(found)) if len(found) == 1 else f'{len(found)} modules'} can't work compiled",
            evidence="\n".join(line for lines in found.values() for line in lines),
            step=f"leave it as bytecode:  [tool.cannery.cython]  exclude = {names}",
        )


def function_readers(text: bytes) -> Iterator[tuple[int, str]]:
    """The decorators in a source that are among :data:`FUNCTION_READERS`: the line, and the name."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # Cython says what is wrong
        return
    names = dict(_imported(tree))
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            call = decorator if isinstance(decorator, ast.Call) else None
            first, _, rest = ast.unparse(call.func if call else decorator).partition(".")
            name = ".".join(filter(None, (names.get(first, ""), rest)))
            without = FUNCTION_READERS.get(name)
            if without is not None and not (call and without in {keyword.arg for keyword in call.keywords}):
                yield decorator.lineno, name


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What the names that a source imports stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((each.asname or each.name, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((each.asname or each.name, f"{node.module}.{each.name}") for each in node.names)
