"""Bytecode in the format of the module marshal: read as tokens, and written again.

The format is that of CPython's ``Python/marshal.c``, versions 4 and 5, with code objects as Python 3.11 and later have
them. Python's own reader trusts its input, and crashes for what is made to make it crash. This one is for bytecode of
any origin: every size is checked, and nothing recurses.

For a new Python, compare ``w_object`` and ``r_object`` in its ``marshal.c`` with the tables below. The test that fails
where the format has changed is ``tests/python/test_marshal.py``, which reads the standard library's bytecode.
"""

from __future__ import annotations

import enum
import struct
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "FLAG",
    "NUMBERS",
    "Field",
    "Token",
    "UnknownFormatError",
    "joined",
    "tokens_in",
    "tokens_of",
    "with_few_references",
]

NUMBERS = struct.Struct("<5i")  # of a code object: argcount, posonlyargcount, kwonlyargcount, stacksize, flags
FLAG = 0x80  # FLAG_REF, in the byte of an object's kind: later references may mean this object
_SIZE = struct.Struct("<i")
_DEEPEST = 2000  # objects in one another: MAX_MARSHAL_STACK_DEPTH, the most that Python reads

_FIXED = {**dict.fromkeys(b"NTFS.0", 0), ord("i"): 4, ord("r"): 4, ord("g"): 8, ord("y"): 16}  # bytes after the kind
_SHORT, _LONG = frozenset(b"zZ"), frozenset(b"uaAts")  # a length of one byte, of four
_TUPLE, _CONTAINERS, _SLICE = ord(")"), frozenset(b"([<>"), ord(":")
_INTEGER, _CODE, _REFERENCE = ord("l"), ord("c"), ord("r")
_SLICE_PARTS = 3  # start, stop, step
_UNNUMBERED = frozenset(b"NTFS.0r")  # kinds of objects that never have a number, not even with FLAG


class UnknownFormatError(ValueError):
    """The data are no bytecode, or that of a Python whose format is not known here."""


class Field(enum.IntEnum):
    """The use of a token: a value of any kind, or a part of a code object."""

    VALUE = 0
    CODE = 1  # the instructions
    LOCALS = 2  # the kinds of local variables
    LINES = 3
    EXCEPTIONS = 4
    FIRST_LINE = 5  # a number without a kind


class Token(NamedTuple):
    """An object that holds no others, or the beginning of one that does; its parts follow as tokens of their own."""

    field: Field
    kind: int  # marshal's type code, :data:`FLAG` included
    content: bytes  # what follows the kind, less the length of a string; of a code object the :data:`NUMBERS`
    objects: int = 0  # that a container holds

    @property
    def letter(self) -> int:
        """The kind alone; 0 for a number without one."""
        return self.kind & ~FLAG

    @property
    def is_numbered(self) -> bool:
        """True for an object with a number, by which references may mean it."""
        return self.kind >= FLAG and self.kind & ~FLAG not in _UNNUMBERED

    @property
    def parts(self) -> int:
        """How many objects, and numbers without a kind, belong to it and follow."""
        return len(_PARTS) if self.letter == _CODE else self.objects


# What a code object holds, in order: its instructions, constants, names, local variables and their kinds, the file, the
# name, the qualified name, the first line, the line table, the exception table.
_PARTS = (
    *(Field.CODE, Field.VALUE, Field.VALUE, Field.VALUE, Field.LOCALS, Field.VALUE, Field.VALUE, Field.VALUE),
    *(Field.FIRST_LINE, Field.LINES, Field.EXCEPTIONS),
)


def tokens_of(data: bytes) -> list[Token]:
    """The tokens of one object, a module's code for one, which is all that ``data`` holds.

    Raises :class:`UnknownFormatError` for anything else.
    """
    reader = _Reader(data)
    tokens = list(reader.tokens())
    if reader.at != len(data):
        raise UnknownFormatError(f"{len(data) - reader.at} bytes after the object")
    return tokens


def tokens_in(data: bytes) -> Iterator[Token]:
    """The tokens of the object at the beginning of ``data``; as in ``marshal.loads``, the rest is left alone.

    Raises :class:`UnknownFormatError` at the first byte that is no part of an object.
    """
    return _Reader(data).tokens()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def tokens(self) -> Iterator[Token]:
        """The tokens of one object; ``within`` has an iterator for each object that is not read to its end."""
        within: list[Iterator[Field]] = [iter((Field.VALUE,))]
        while within:
            field = next(within[-1], None)
            if field is None:
                within.pop()
                continue
            token = self._token(field)
            yield token
            if token.letter == _CODE:
                within.append(iter(_PARTS))
            elif token.objects:
                within.append(repeat(Field.VALUE, token.objects))
            if len(within) > _DEEPEST:
                raise UnknownFormatError(f"more than {_DEEPEST} objects in one another")

    def _token(self, field: Field) -> Token:
        if field is Field.FIRST_LINE:
            return Token(field, 0, self._take(4))
        (kind,) = self._take(1)
        letter = kind & ~FLAG
        if (size := _FIXED.get(letter)) is not None:
            return Token(field, kind, self._take(size))
        if letter in _SHORT or letter in _LONG:
            return Token(field, kind, self._take(self._take(1)[0] if letter in _SHORT else self._number()))
        if letter == _CODE:
            return Token(field, kind, self._take(NUMBERS.size))
        if letter == _INTEGER:
            digits = self._take(_SIZE.size)
            return Token(field, kind, digits + self._take(2 * abs(_SIZE.unpack(digits)[0])))
        return Token(field, kind, b"", self._objects(letter))

    def _objects(self, letter: int) -> int:
        """How many objects a container holds: no more than there are bytes, as each takes one at least."""
        if letter == _SLICE:
            return _SLICE_PARTS
        if letter != _TUPLE and letter not in _CONTAINERS:
            raise UnknownFormatError(f"an object of the kind {letter:#04x}")
        objects = self._take(1)[0] if letter == _TUPLE else self._number()
        if not 0 <= objects <= len(self.data) - self.at:
            raise UnknownFormatError("the object has no end")
        return objects

    def _take(self, size: int) -> bytes:
        start, self.at = self.at, self.at + size
        if not start <= self.at <= len(self.data):
            raise UnknownFormatError("the object has no end")
        return self.data[start : self.at]

    def _number(self) -> int:
        number: int = _SIZE.unpack(self._take(_SIZE.size))[0]
        return number


def joined(tokens: Iterable[Token]) -> bytes:
    """The data that :func:`tokens_of` gave the tokens of."""
    data = bytearray()
    for field, kind, content, objects in tokens:
        letter = kind & ~FLAG
        if field is not Field.FIRST_LINE:
            data.append(kind)
        if letter in _SHORT:
            data.append(len(content))
        elif letter in _LONG:
            data += _SIZE.pack(len(content))
        elif letter == _TUPLE:
            data.append(objects)
        elif letter in _CONTAINERS:
            data += _SIZE.pack(objects)
        data += content
    return bytes(data)


def with_few_references(tokens: Sequence[Token]) -> Iterator[Token]:
    """The same objects, without :data:`FLAG` on those that no reference means, and with references renumbered."""
    wanted = {_number(token) for token in tokens if _is_reference(token)}
    numbers: dict[int, int] = {}  # old -> new
    number = 0
    for token in tokens:
        if _is_reference(token):
            yield token._replace(content=_SIZE.pack(numbers[_number(token)]))
        elif not token.is_numbered:
            yield token
        else:
            if number in wanted:
                numbers[number] = len(numbers)
                yield token
            else:
                yield token._replace(kind=token.letter)
            number += 1


def _is_reference(token: Token) -> bool:
    return token.kind == _REFERENCE


def _number(token: Token) -> int:
    """The number of the object that a reference means: the first that has :data:`FLAG` is 0."""
    return int.from_bytes(token.content, "little")
