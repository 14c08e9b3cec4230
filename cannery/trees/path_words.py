"""The words of a source that stand where a path does: ``HERE / "docs"``, ``join(HERE, "docs")``."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["path_words"]

# Functions and methods whose arguments are paths or parts of one: of os, os.path, glob, pathlib, importlib.resources
_TAKE_PATHS: Final = {
    *("Path", "PurePath", "exists", "files", "glob", "iglob", "isdir", "isfile", "iterdir", "join", "joinpath"),
    *("listdir", "open", "rglob", "scandir", "walk"),
}
_PATHS: Final = re.compile(r"(?:^|_)(?:dir|directory|folder|path|root)s?$")  # names of arguments


def path_words(tree: ast.Module) -> frozenset[str]:
    """The strings that are a path, or a part of one, by the expression that they stand in; of a template the folder.

    A string says as much of itself only where it has a slash in it.
    """
    return frozenset(word for node in ast.walk(tree) for word in _words(node))


def _words(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.BinOp(op=ast.Div(), right=part):
            yield from _texts(part)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=arguments, keywords=named):
            for part in arguments if name in _TAKE_PATHS else ():
                yield from _texts(part)
            for keyword in named:
                if _PATHS.search(keyword.arg or ""):
                    yield from _texts(keyword.value)
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]) if "/" in text:
            yield text.partition("/")[0]


def _texts(part: ast.expr) -> Iterator[str]:
    match part:
        case ast.Constant(value=str(text)):
            yield text.removeprefix("./").rstrip("/")
