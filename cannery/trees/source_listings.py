"""Sources that look for files called ``*.py``, as loaders of plugins do, and the folders that they look in."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Listing", "listing_of"]

_PATTERN: Final = re.compile(r"\*\.py\Z")
_FOLDER: Final = re.compile(r"(?:\./)?((?:[\w-]+/)*[\w-]+)/?(?:\*\*/?|\*\.py|/)*")
_LISTS: Final = {"glob", "iglob", "iterdir", "listdir", "rglob", "scandir", "walk"}
_DEEP: Final = {"rglob", "walk"}
_OWN: Final = {"__file__", "__path__"}


class Listing(NamedTuple):
    """Where a source looks for others."""

    line: int = 0  # where it first does; 0 for a source that doesn't
    folders: tuple[str, ...] = ()  # names that may be those of folders; "" is the source's own
    deep: bool = False  # it looks below them, too


def listing_of(tree: ast.Module) -> Listing:
    """Where the source of ``tree`` looks for files called ``*.py``, by a pattern or by the end of their names."""
    calls = {name for node in ast.walk(tree) if isinstance(node, ast.Call) and (name := _called(node))}
    ends = () if calls.isdisjoint(_LISTS) else filter(None, map(_line_of_end, ast.walk(tree)))
    patterns = (node.lineno for node, text in _strings(tree) if _PATTERN.search(text))
    lines = {*ends, *patterns}
    if not lines:
        return Listing()
    texts = [text for _, text in _strings(tree)]
    own = [""] if any(_speaks_of_itself(part, _own_names(tree)) for part in _around(tree, lines)) else []
    named = {match[1] for text in texts if (match := _FOLDER.fullmatch(text))}
    deep = not calls.isdisjoint(_DEEP) or any("**" in text for text in texts)
    return Listing(min(lines), (*own, *sorted(named)), deep)


def _around(tree: ast.Module, lines: Iterable[int]) -> Iterator[ast.AST]:
    """The innermost function around each of the ``lines``; for one in none the statements that are in none."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for line in lines:
        inside = [each for each in functions if each.lineno <= line <= (each.end_lineno or line)]
        if inside:
            yield max(inside, key=lambda each: each.lineno)
        else:
            yield from (each for each in tree.body if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


def _own_names(tree: ast.Module) -> set[str]:
    """The names of the module that are made of where it lies: ``HERE = Path(__file__).parent``."""
    names = set(_OWN)
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and _speaks_of_itself(statement.value, names):
            names.update(target.id for target in statement.targets if isinstance(target, ast.Name))
    return names


def _speaks_of_itself(part: ast.AST, names: set[str]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(part))


def _line_of_end(node: ast.AST) -> int:
    """The line where the end of a name is compared with that of sources; 0 where it isn't."""
    match node:
        case ast.Call(func=ast.Attribute(attr="endswith"), args=[ends, *_]) if _is_suffix(ends):
            return node.lineno
        case ast.Compare(left=left, comparators=others) if any(map(_is_suffix, (left, *others))):
            return node.lineno
    return 0


def _is_suffix(node: ast.expr) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return any(isinstance(part, ast.Constant) and part.value == ".py" for part in parts)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _strings(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node, node.value
