"""Line tables, which tell the line of each instruction of a code object (CPython's ``Objects/locations.md``).

They are read where they have no positions within lines (PEP 657), as those that ``python -X no_debug_ranges`` makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cannery.python.marshal import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.python.marshal import Token

__all__ = ["Line", "line_table", "lines_of", "with_few_lines"]

_START = 0x80  # the bit of an entry's first byte, which no other has
_NO_COLUMNS, _NO_LINE = 13, 15  # codes of entries: PY_CODE_LOCATION_INFO_NO_COLUMNS, …_NONE
_SIX_BITS, _MORE = 0x3F, 0x40  # of a byte of a varint
_LONGEST = 8  # code units: the most that one entry is for


class Line(NamedTuple):
    """Instructions of one line."""

    units: int  # code units, of two bytes each
    step: int | None  # from the line before: twice the distance, plus 1 if it leads back; None for no line


def with_few_lines(tokens: Iterable[Token]) -> Iterator[Token]:
    """The same tokens with shorter line tables: as few entries as can tell the same lines."""
    for token in tokens:
        lines = lines_of(token.content) if token.field is Field.LINES else None
        yield token if lines is None else token._replace(content=line_table(lines))


def lines_of(table: bytes) -> list[Line] | None:
    """The lines of a line table, neighbours of one line as one; None for a table with positions, or for no table."""
    try:
        return _lines(table)
    except IndexError:
        return None


def _lines(table: bytes) -> list[Line] | None:
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
            table.append(_START | code << 3 | min(units - start, _LONGEST) - 1)
            table += same if start else value
    return bytes(table)


def _varint(number: int) -> bytes:
    data = bytearray()
    while number > _SIX_BITS:
        data.append(number & _SIX_BITS | _MORE)
        number >>= 6
    data.append(number)
    return bytes(data)
