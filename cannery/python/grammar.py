"""Sources parsed by the grammar of the Python that they are for, which may be newer than the one that runs cannery."""

from __future__ import annotations

import ast
import json
import os
import warnings
from typing import TYPE_CHECKING, Any

from cannery.workspace.keys import package_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cannery.workspace.process import Runner

__all__ = ["NoPythonError", "parse", "parse_with"]

_WORKER = package_file("python/workers/parse_source.py")


class NoPythonError(Exception):
    """A text is no Python."""

    def __init__(self, message: str, line: int = 0, text: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line  # 0 where no line is to blame
        self.text = text  # of the line


def parse(source: bytes) -> ast.Module:
    """The syntax tree of ``source`` in the grammar of the running Python; raises :class:`NoPythonError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are for the source's author
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = getattr(error, "msg", None) or str(error) or type(error).__name__
        line, text = getattr(error, "lineno", None), getattr(error, "text", None)
        raise NoPythonError(message, line or 0, (text or "").strip()) from error


def parse_with(python: Path, source: bytes, run: Runner) -> ast.Module:
    """The syntax tree of ``source`` as ``python``, a newer one, parses it; raises :class:`NoPythonError`.

    What the running Python has no node for stands there as the older one that says the same of names, strings and
    imports: ``type X = int`` as ``X = int``; parameters of types are left out.
    """
    command = [str(python), "-I", "-S", "-X", "utf8", "-W", "ignore", str(_WORKER)]
    answer = json.loads(run(command, stdin=os.fsdecode(source)).stdout)
    if isinstance(answer, dict):
        raise NoPythonError(answer["message"], answer["line"], answer["text"])
    return _tree(answer)


def _tree(nodes: Sequence[Any]) -> ast.Module:
    """The tree of ``nodes`` as the worker writes them, each after those in it."""
    made: list[Any] = []
    for kind, line, fields in nodes:
        node = getattr(ast, kind)(**{name: _value(value, made) for name, value in fields.items()})
        if line:
            node.lineno, node.col_offset = line, 0
        made.append(node)
    root: ast.Module = made[-1]
    return root


def _value(value: Any, made: Sequence[ast.AST]) -> Any:
    if isinstance(value, list):
        return [_value(each, made) for each in value]
    if isinstance(value, dict):
        return made[value["node"]] if "node" in value else _constant(value["repr"])
    return value


def _constant(text: str) -> object:
    """The constant that ``text`` represents; None for a number that has no literal."""
    try:
        return ast.literal_eval(text)
    except ValueError:
        return None
