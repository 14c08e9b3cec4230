"""The other programs that a source starts: ``subprocess.run(["git", "log"])``."""

from __future__ import annotations

import ast
import posixpath
import re
from typing import TYPE_CHECKING, Final

from cannery.python.program_names import is_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["programs_started"]

_SUBPROCESS: Final = {"Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "run"}
_STARTS: Final[Mapping[str, set[str]]] = {
    "subprocess": _SUBPROCESS,
    "os": {"execlp", "execvp", "execvpe", "popen", "posix_spawnp", "spawnlp", "spawnvp", "system"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
}
_NAME: Final = re.compile(r"[\w.+-]+")
_GUARDS: Final = {"FileNotFoundError", "OSError", "Exception", "BaseException"}


def programs_started(tree: ast.Module) -> tuple[tuple[str, int], ...]:
    """The names of the programs that a source starts, each with its first line.

    Only constants tell them, and a program that the source goes on without ("except OSError") doesn't count.
    """
    bound = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in _STARTS.get(node.module or "", ())
    }
    found: dict[str, int] = {}
    for name, line in _started(tree, bound):
        found.setdefault(name, line)
    return tuple(found.items())


def _started(node: ast.AST, bound: set[str]) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Try) and any(map(_goes_on, node.handlers)):
        return
    if isinstance(node, ast.Call) and node.args and _starts(node.func, bound):
        match node.args[0]:
            case ast.Constant(value=str(text)) | ast.List(elts=[ast.Constant(value=str(text)), *_]):
                words = [word for word in text.split() if "=" not in word]
                name = posixpath.basename(words[0]) if words else ""
                if _NAME.fullmatch(name) and not is_python(name):
                    yield name, node.lineno
    for part in ast.iter_child_nodes(node):
        yield from _started(part, bound)


def _starts(function: ast.expr, bound: set[str]) -> bool:
    match function:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return name in _STARTS.get(module, ())
        case ast.Name(id=name):
            return name in bound
    return False


def _goes_on(handler: ast.ExceptHandler) -> bool:
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    caught = any(each is None or (isinstance(each, ast.Name) and each.id in _GUARDS) for each in named)
    return caught and not isinstance(handler.body[-1], ast.Raise)
