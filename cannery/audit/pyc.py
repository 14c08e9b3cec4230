"""A ``.pyc`` file read as data (CPython's Python/marshal.c, version 4).

``marshal`` trusts what it reads, and crashes for what is made to make it crash; this reads what others wrote.
"""

from __future__ import annotations

import ast
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Code", "is_start_of_bytecode", "is_start_of_source", "read_pyc", "strings_of"]

_HEADER = 16  # bytes (PEP 552)
_PYTHON_3_11 = 3495  # the magic number since which code objects are written as they are today
_DEEPEST = 100  # tuples in tuples, and functions in functions
_FEW_NAMES, _FEW_STATEMENTS, _SHORT = 32, 10, 40
_BY_FLAG = 0x80  # the object is one that later ones refer to


@dataclass(frozen=True, slots=True)
class Code:
    """What a code object shows of its source."""

    constants: tuple[Any, ...]
    names: tuple[Any, ...]
    variables: tuple[Any, ...]
    name: str


class _MalformedError(Exception):
    """It is no bytecode, or that of a Python whose format this doesn't know."""


def read_pyc(data: bytes) -> Code | None:
    """The module's code object; None for what isn't bytecode of Python 3.11 or later."""
    if len(data) < _HEADER or data[2:4] != b"\r\n" or int.from_bytes(data[:2], "little") < _PYTHON_3_11:
        return None
    try:
        code = _Reader(data[_HEADER:]).value()
    except (_MalformedError, struct.error, IndexError, UnicodeDecodeError, TypeError):
        return None
    return code if isinstance(code, Code) else None


def is_start_of_bytecode(code: Code) -> bool:
    """Whether a module imports names and calls them, and defines nothing: a start of an app that is elsewhere."""
    return len(code.names) <= _FEW_NAMES and all(map(_tells_nothing, code.constants))


def is_start_of_source(source: bytes) -> bool:
    """The same of source, as installers write console scripts."""
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
    )


def strings_of(code: Code) -> Iterator[str]:
    """Every name and every literal text of a module, as they come."""
    yield code.name
    yield from (name for name in (*code.names, *code.variables) if isinstance(name, str))
    for constant in code.constants:
        yield from _texts(constant)


def _texts(constant: object) -> Iterator[str]:
    if isinstance(constant, str):
        yield constant
    elif isinstance(constant, bytes):
        yield constant.decode("ascii", "backslashreplace")
    elif isinstance(constant, tuple):
        for each in constant:
            yield from _texts(each)
    elif isinstance(constant, Code):
        yield from strings_of(constant)


def _tells_nothing(constant: object) -> bool:
    """Whether it is what importing and calling takes: names, and the file that is loaded."""
    if isinstance(constant, tuple):
        return all(isinstance(each, str) and each.isidentifier() for each in constant)
    if isinstance(constant, str):
        return len(constant) <= 1 or constant.endswith(".so") or (constant[:2] == constant[-2:] == "__")
    return constant is None or constant in {0, 1}


class _Reader:
    """Reads one object after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._seen: list[Any] = []
        self._depth = 0

    def value(self) -> Any:
        """The next object; those that say nothing here come back as None."""
        kind = self._take(1)[0]
        place = len(self._seen)
        if kind & _BY_FLAG:
            self._seen.append(None)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _MalformedError
        found = self._known(chr(kind & ~_BY_FLAG))
        self._depth -= 1
        if kind & _BY_FLAG:
            self._seen[place] = found
        return found

    def _known(self, kind: str) -> Any:
        if kind in _CONSTANTS:
            return _CONSTANTS[kind]
        if kind not in _READERS:
            raise _MalformedError
        return _READERS[kind](self)

    def _take(self, size: int) -> bytes:
        if size < 0 or self._at + size > len(self._data):
            raise _MalformedError
        self._at += size
        return self._data[self._at - size : self._at]

    def _int(self) -> int:
        number: int = struct.unpack("<i", self._take(4))[0]
        return number

    def _skip(self, size: int) -> str:
        self._take(size)
        return ""  # a number: no name, and no text

    def _long(self) -> int:
        count = self._int()
        self._take(2 * abs(count))
        return count

    def _text(self, size: int) -> str:
        return self._take(size).decode("utf-8", "surrogatepass")

    def _short_text(self) -> str:
        return self._text(self._take(1)[0])

    def _items(self, count: int) -> tuple[Any, ...]:
        if not 0 <= count <= len(self._data) - self._at:
            raise _MalformedError
        return tuple(self.value() for _ in range(count))

    def _reference(self) -> Any:
        return self._seen[self._int()]

    def _code(self) -> Code:
        self._take(5 * 4)  # the numbers of arguments, the stack's size, the flags
        self.value()  # the instructions
        constants, names, variables = self.value(), self.value(), self.value()
        self.value()  # the variables' kinds
        self.value()  # the source's path
        name = self.value()
        self.value()  # its qualified name
        self._take(4)  # the first line
        self.value(), self.value()  # the tables of lines and of exceptions
        if not all(isinstance(each, tuple) for each in (constants, names, variables)):
            raise _MalformedError
        return Code(constants, names, variables, str(name))


_CONSTANTS: Mapping[str, object] = {"N": None, "F": False, "T": True, ".": "", "S": ""}
_READERS: Mapping[str, Callable[[_Reader], Any]] = {
    "i": lambda reader: reader._int(),  # noqa: SLF001  # this class's own table
    "l": lambda reader: reader._long(),  # noqa: SLF001
    "g": lambda reader: reader._skip(8),  # noqa: SLF001
    "y": lambda reader: reader._skip(16),  # noqa: SLF001
    "s": lambda reader: reader._take(reader._int()),  # noqa: SLF001
    **dict.fromkeys("tuaA", lambda reader: reader._text(reader._int())),  # noqa: SLF001
    **dict.fromkeys("zZ", lambda reader: reader._short_text()),  # noqa: SLF001
    **dict.fromkeys("([<>", lambda reader: reader._items(reader._int())),  # noqa: SLF001
    ")": lambda reader: reader._items(reader._take(1)[0]),  # noqa: SLF001
    ":": lambda reader: reader._items(3),  # noqa: SLF001
    "r": lambda reader: reader._reference(),  # noqa: SLF001
    "c": lambda reader: reader._code(),  # noqa: SLF001
}
