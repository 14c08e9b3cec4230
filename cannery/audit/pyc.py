"""Names and texts of the source that a ``.pyc`` file shows (PEP 552), read without trusting whoever wrote the file."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from cannery.python.marshal import UnknownFormatError, tokens_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cannery.python.marshal import Token

__all__ = ["Code", "assignments_of", "is_start_of_bytecode", "is_start_of_source", "read_pyc", "strings_of"]

_HEADER = 16  # bytes (PEP 552)
_PYTHON_3_11 = 3495  # the magic number since which code objects are written as they are today
_FEW_NAMES, _FEW_STATEMENTS, _SHORT = 32, 10, 40
_NOWHERE = 1 << 16  # beyond every table
_CONTAINERS = "()[<>"  # kinds of objects
_MOST_TOKENS = 1 << 21  # a byte may be an object of its own


@dataclass(frozen=True, slots=True)
class Code:
    """The parts of a code object that show its source."""

    constants: tuple[Any, ...]
    names: tuple[Any, ...]
    variables: tuple[Any, ...]
    name: str
    instructions: bytes


def read_pyc(data: bytes) -> Code | None:
    """The module's code object; None for what isn't bytecode of Python 3.11 or later."""
    if len(data) < _HEADER or data[2:4] != b"\r\n" or int.from_bytes(data[:2], "little") < _PYTHON_3_11:
        return None
    try:
        code = _object(islice(tokens_in(data[_HEADER:]), _MOST_TOKENS))
    except (UnknownFormatError, IndexError, UnicodeDecodeError):
        return None
    return code if isinstance(code, Code) else None


def is_start_of_bytecode(code: Code) -> bool:
    """True for a module that imports names and calls them, and defines nothing: a start of code that lies elsewhere."""
    return len(code.names) <= _FEW_NAMES and all(map(_tells_nothing, code.constants))


def is_start_of_source(source: bytes) -> bool:
    """True for a source that imports names and calls them, and defines nothing, such as a console script."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    nodes = list(ast.walk(tree))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.comprehension)
    return (
        sum(isinstance(node, ast.stmt) for node in nodes) <= _FEW_STATEMENTS
        and not any(isinstance(node, defined) for node in nodes)
        and all(len(text) <= _SHORT for text in texts)
        and not any(_keeps_a_literal(node) for node in nodes)
    )


def _keeps_a_literal(node: ast.AST) -> bool:
    """True for a statement that sets a name to a text, a number or a list of them; a call's arguments are no such."""
    if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        return False
    pending: list[ast.AST] = [node.value] if node.value is not None else []
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Constant) and each.value not in {None, True, False, ""}:
            return True
        if isinstance(each, ast.Tuple | ast.List | ast.Set | ast.Dict | ast.BinOp | ast.JoinedStr):
            pending += ast.iter_child_nodes(each)
    return False


def strings_of(code: Code) -> Iterator[str]:
    """Every name and every literal text of a module, in order; a constant that others share is read once."""
    seen: set[int] = set()  # IDs of tuples and code: 60 that hold one another twice would be 2**60 ways to a text
    pending: list[object] = [code]
    while pending:
        each = pending.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, bytes):
            yield each.decode("ascii", "backslashreplace")
        elif isinstance(each, Code | tuple) and id(each) not in seen:
            seen.add(id(each))
            parts = (each.name, *each.names, *each.variables, *each.constants) if isinstance(each, Code) else each
            pending += reversed(parts)


def assignments_of(code: Code) -> Iterator[tuple[str, str]]:
    """Names and the texts that a module sets them to, in itself, its classes and its functions.

    Which instruction is which has changed with every Python; that a constant is loaded and that one of the next two
    instructions names where it goes has not. A few pairs that mean something else are among them.
    """
    for each in _codes(code):
        units = [(each.instructions[at], each.instructions[at + 1]) for at in range(0, len(each.instructions) - 1, 2)]
        loads = [argument for instruction, argument in units if instruction]  # less the caches in between
        for value, *targets in zip(loads, loads[1:], [*loads[2:], _NOWHERE], strict=False):
            if isinstance(text := _at(each.constants, value), str):
                names = [_at(table, target) for table in (each.names, each.variables) for target in targets]
                yield from ((name, text) for name in (*names, _at(each.constants, targets[1])) if isinstance(name, str))
        yield from _keyed(each, loads)
        yield from _paired(each, loads)


def _at(table: tuple[Any, ...], index: int) -> object:
    return table[index] if index < len(table) else None


def _keyed(code: Code, loads: Sequence[int]) -> Iterator[tuple[str, str]]:
    """The keys of a dictionary's display, or the names of arguments, which lie in one tuple behind the values."""
    for place, index in enumerate(loads):
        keys = _at(code.constants, index)
        if isinstance(keys, tuple) and 0 < len(keys) <= place and all(isinstance(key, str) for key in keys):
            for key, value in zip(keys, loads[place - len(keys) : place], strict=True):
                if isinstance(text := _at(code.constants, value), str):
                    yield key, text


def _paired(code: Code, loads: Sequence[int]) -> Iterator[tuple[str, str]]:
    """The same of a display since Python 3.14: each key lies before its value, and their number behind the last."""
    for place, number in enumerate(loads):
        if 0 < 2 * number <= place:
            keys, values = loads[place - 2 * number : place : 2], loads[place - 2 * number + 1 : place : 2]
            texts = [_at(code.constants, key) for key in keys]
            if all(isinstance(text, str) for text in texts):
                found = zip(texts, (_at(code.constants, value) for value in values), strict=True)
                yield from ((key, text) for key, text in found if isinstance(key, str) and isinstance(text, str))


def _codes(code: Code) -> Iterator[Code]:
    """A module's code and that of all that it defines; an object that others share comes once."""
    seen: set[int] = set()
    pending: list[object] = [code]
    while pending:
        each = pending.pop()
        if isinstance(each, Code | tuple) and id(each) not in seen:
            seen.add(id(each))
            pending += each.constants if isinstance(each, Code) else each
            if isinstance(each, Code):
                yield each


def _tells_nothing(constant: object) -> bool:
    """True for a constant of code that imports and calls: a name, a small number, the path of a module."""
    if isinstance(constant, tuple):
        return all(isinstance(each, str) and each.isidentifier() for each in constant)
    if isinstance(constant, str):
        return len(constant) <= 1 or constant.endswith(".so") or (constant[:2] == constant[-2:] == "__")
    return constant is None or (isinstance(constant, int) and constant in {0, 1})


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """An object whose parts are still to come."""

    token: Token
    number: int | None  # by which references mean it
    parts: list[object]

    def finished(self) -> object:
        """The object, which has all its parts now."""
        if self.token.letter != ord("c"):
            return tuple(self.parts)
        done, constants, names, variables, _, _, name, *_ = self.parts  # as CPython's w_object has them
        if not (isinstance(constants, tuple) and isinstance(names, tuple) and isinstance(variables, tuple)):
            raise UnknownFormatError("a code object without constants, names and variables")
        instructions = done if isinstance(done, bytes) else b""
        return Code(constants, names, variables, name if isinstance(name, str) else "", instructions)


def _object(tokens: Iterable[Token]) -> object:
    """The object of ``tokens``. There is no recursion, as whoever wrote the file chose how deep objects lie."""
    numbered: list[object] = []
    within: list[_Unfinished] = []
    for token in tokens:
        number = len(numbered) if token.is_numbered else None
        if number is not None:
            numbered.append(None)
        if token.parts:
            within.append(_Unfinished(token, number, []))
            continue
        value = _value(token, numbered)
        while True:
            if number is not None:
                numbered[number] = value
            if not within:
                return value
            within[-1].parts.append(value)
            if len(within[-1].parts) < within[-1].token.parts:
                break
            done = within.pop()
            value, number = done.finished(), done.number
    raise UnknownFormatError("no object")


def _value(token: Token, numbered: Sequence[object]) -> object:  # noqa: PLR0911  # one for each kind
    """The value of a token without parts; an empty text for one that shows nothing of the source."""
    match chr(token.letter):
        case "N":
            return None
        case "T" | "F" as letter:
            return letter == "T"
        case "i":
            return int.from_bytes(token.content, "little", signed=True)
        case "l" | "g" | "y":
            return len(token.content)  # in place of a large number or a fraction: any that is not small will do
        case "s":
            return token.content
        case "a" | "A" | "z" | "Z":
            return token.content.decode("latin-1")
        case "u" | "t":
            return token.content.decode("utf-8", "surrogatepass")
        case "r":
            return numbered[int.from_bytes(token.content, "little")]
        case letter:
            return () if letter in _CONTAINERS else ""
