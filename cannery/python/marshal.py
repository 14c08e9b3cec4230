"""Bytecode as the module marshal writes it, taken apart into its fields and put together again.

The format is that of CPython's ``Python/marshal.c``, with code objects as Python 3.11 and later have them, and line
tables as its ``Objects/locations.md`` describes them.
"""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "NUMBERS",
    "Field",
    "Line",
    "Token",
    "UnknownFormatError",
    "joined",
    "line_table",
    "lines_of",
    "tokens_of",
    "with_few_lines",
    "with_few_references",
]

NUMBERS = struct.Struct("<5i")  # of a code object: argcount, posonlyargcount, kwonlyargcount, stacksize, flags
_SIZE = struct.Struct("<i")
_FLAG = 0x80  # of a kind: the object is referred to later

_FIXED = {**dict.fromkeys(b"NTFS.0", 0), ord("i"): 4, ord("r"): 4, ord("g"): 8, ord("y"): 16}  # bytes after the kind
_SHORT, _LONG = frozenset(b"zZ"), frozenset(b"uaAts")  # a length of one byte, of four
_TUPLE, _CONTAINERS, _INTEGER, _CODE, _REFERENCE = ord(")"), frozenset(b"([<>"), ord("l"), ord("c"), ord("r")


class UnknownFormatError(ValueError):
    """What isn't the bytecode of a Python that is known here."""


class Field(enum.IntEnum):
    """What a token is for: a value of any kind, or the part of a code object that it's named after."""

    VALUE = 0
    CODE = 1
    LOCALS = 2  # their kinds
    LINES = 3
    EXCEPTIONS = 4
    FIRST_LINE = 5  # a number without a kind


class Token(NamedTuple):
    """An object that holds no others, or the beginning of one that does."""

    field: Field
    kind: int  # marshal's type code, flag included
    content: bytes  # what follows, less the length of a string; of a code object the :data:`NUMBERS`
    objects: int = 0  # in a container


class Line(NamedTuple):
    """Instructions of one line."""

    units: int  # code units, of two bytes each
    step: int | None  # from the line before: twice the distance, plus 1 where it leads back; None where it's none


# What a code object holds, in order.
_PARTS = (
    *(Field.CODE, Field.VALUE, Field.VALUE, Field.VALUE, Field.LOCALS, Field.VALUE, Field.VALUE, Field.VALUE),
    *(Field.FIRST_LINE, Field.LINES, Field.EXCEPTIONS),
)


def tokens_of(data: bytes) -> list[Token]:
    """The tokens of one object, a module's code for one; raises :class:`UnknownFormatError`."""
    reader = _Reader(data)
    try:
        reader.value(Field.VALUE)
    except (IndexError, struct.error, RecursionError) as error:
        raise UnknownFormatError("the object has no end") from error
    if reader.at != len(data):
        raise UnknownFormatError(f"{len(data) - reader.at} bytes after the object")
    return reader.tokens


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.tokens: list[Token] = []

    def value(self, field: Field) -> None:
        if field is Field.FIRST_LINE:
            self.tokens.append(Token(field, 0, self._take(4)))
            return
        (kind,) = self._take(1)
        letter = kind & ~_FLAG
        if (size := _FIXED.get(letter)) is not None:
            self.tokens.append(Token(field, kind, self._take(size)))
        elif letter in _SHORT:
            self.tokens.append(Token(field, kind, self._take(self._take(1)[0])))
        elif letter in _LONG:
            self.tokens.append(Token(field, kind, self._take(self._number())))
        elif letter == _TUPLE or letter in _CONTAINERS:
            count = self._take(1)[0] if letter == _TUPLE else self._number()
            self.tokens.append(Token(field, kind, b"", count))
            for _ in range(count):
                self.value(Field.VALUE)
        elif letter == _CODE:
            self.tokens.append(Token(field, kind, self._take(NUMBERS.size)))
            for part in _PARTS:
                self.value(part)
        elif letter == _INTEGER:
            (digits,) = _SIZE.unpack_from(self.data, self.at)
            self.tokens.append(Token(field, kind, self._take(_SIZE.size + 2 * abs(digits))))
        else:
            raise UnknownFormatError(f"an object of the kind {kind:#04x}")

    def _take(self, size: int) -> bytes:
        start, self.at = self.at, self.at + size
        if not start <= self.at <= len(self.data):
            raise UnknownFormatError("the object has no end")
        return self.data[start : self.at]

    def _number(self) -> int:
        number: int = _SIZE.unpack(self._take(_SIZE.size))[0]
        return number


def joined(tokens: Iterable[Token]) -> bytes:
    """What :func:`tokens_of` took apart."""
    data = bytearray()
    for field, kind, content, objects in tokens:
        letter = kind & ~_FLAG
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
    """The same with no object set apart to be referred to that nothing refers to."""
    places: dict[int, int] = {}  # of what is referred to: among all that is set apart, and among the rest of it
    wanted = {_place(token) for token in tokens if _is_reference(token)}
    number = 0
    for token in tokens:
        if _is_reference(token):
            yield token._replace(content=_SIZE.pack(places[_place(token)]))
        elif token.field is not Field.FIRST_LINE and token.kind & _FLAG:
            if number in wanted:
                places[number] = len(places)
                yield token
            else:
                yield token._replace(kind=token.kind & ~_FLAG)
            number += 1
        else:
            yield token


def _is_reference(token: Token) -> bool:
    return token.kind == _REFERENCE and token.field is not Field.FIRST_LINE


def _place(token: Token) -> int:
    return int.from_bytes(token.content, "little")


def with_few_lines(tokens: Iterable[Token]) -> Iterator[Token]:
    """The same with line tables in which instructions of one line share their entries, as far as entries reach."""
    for token in tokens:
        lines = lines_of(token.content) if token.field is Field.LINES else None
        yield token if lines is None else token._replace(content=line_table(lines))


_NO_COLUMNS, _NO_LINE = 13, 15  # codes of an entry
_SIX_BITS, _MORE = 0x3F, 0x40  # of a byte of a varint
_LONGEST = 8  # code units that an entry stands for at most


def lines_of(table: bytes) -> list[Line] | None:
    """The lines of a line table, none of which could be one with that before it; None for a table with columns."""
    lines: list[Line] = []
    at = 0
    while at < len(table):
        code, units = table[at] >> 3 & 0xF, (table[at] & 7) + 1
        at += 1
        step: int | None = None
        if code == _NO_COLUMNS:  # a varint follows: six bits a byte, the lowest first
            step = shift = 0
            while table[at] & _MORE:
                step |= (table[at] & _SIX_BITS) << shift
                at, shift = at + 1, shift + 6
            step |= table[at] << shift
            at += 1
        elif code != _NO_LINE:
            return None
        if lines and (step is None) == (lines[-1].step is None) and not step:
            lines[-1] = lines[-1]._replace(units=lines[-1].units + units)
        else:
            lines.append(Line(units, step))
    return lines


def line_table(lines: Iterable[Line]) -> bytes:
    """The line table that has these lines."""
    table = bytearray()
    for units, step in lines:
        code, value, same = (_NO_LINE, b"", b"") if step is None else (_NO_COLUMNS, _varint(step), b"\0")
        for start in range(0, units, _LONGEST):
            table.append(_FLAG | code << 3 | min(units - start, _LONGEST) - 1)
            table += same if start else value
    return bytes(table)


def _varint(number: int) -> bytes:
    data = bytearray()
    while number > _SIX_BITS:
        data.append(number & _SIX_BITS | _MORE)
        number >>= 6
    data.append(number)
    return bytes(data)
