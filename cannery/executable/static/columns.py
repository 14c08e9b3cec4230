"""An executable rearranged so that it packs well; ``launcher/columns.h`` puts it back as it was.

Of bytecode, what is alike lies together, in columns: all the names, all the instructions, all the line tables. A branch
in machine code says where it goes to rather than how far, so that calls of one function are alike. README.md beside
this file describes both, byte by byte, with an example.
"""

from __future__ import annotations

import re
import struct
from array import array
from typing import TYPE_CHECKING

from cannery.python.line_table import line_table, lines_of
from cannery.python.marshal import NUMBERS, Field, UnknownFormatError, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cannery.python.line_table import Line
    from cannery.python.marshal import Token

__all__ = ["COLUMNS", "absolute_branches", "columns_of"]

# The columns, in the order that columns.h has them. Numbers are varints, seven bits a byte and the lowest first, but
# those in VALUES are as marshal has them.
_KINDS, _COUNTS, _REFERENCES, _VALUES, _TEXT, _FIRST_LINES, _INSTRUCTIONS, _STEPS, _NUMBERS = range(9)
_BYTES = _NUMBERS + 5  # five, one for each Field that is bytes
_SIZES = _BYTES + 5  # of these bytes; for line tables 0, where they lie as instructions and steps, or one more
COLUMNS = _SIZES + 5

_MORE = 0x80  # of a byte of a varint
_OPAQUE, _COUNTED = 0, 1  # kinds of our own: a module that stays as it is; before a string that holds a zero byte
_STRINGS, _CONTAINERS = frozenset(b"zZuaAt"), frozenset(b")([<>")
_REFERENCE, _CODE, _BYTES_OBJECT = ord("r"), ord("c"), ord("s")


def columns_of(modules: Iterable[bytes], caches: Sequence[int]) -> tuple[list[bytes], dict[int, str]]:
    """The columns of bytecode, :data:`COLUMNS` of them, and why some of a module isn't in columns, by its position.

    ``caches`` has for each opcode how many code units of inline cache follow it; all of these are zero.
    """
    every = [bytearray() for _ in range(COLUMNS)]
    stayed: dict[int, str] = {}
    for position, module in enumerate(modules):
        try:
            columns, whole = _columns(tokens_of(module), caches)
        except UnknownFormatError as error:  # bytecode that no compiler made, which is kept all the same
            columns, stayed[position] = _opaque(module), f"its bytecode is of no known form: {error}"
        else:
            if whole:
                stayed[position] = f"{whole} of its line tables have columns (PEP 657), or several entries for a line"
        for number, column in enumerate(columns):
            every[number] += column
    return [bytes(column) for column in every], stayed


def _opaque(module: bytes) -> list[bytearray]:
    """The columns of a module that stays as it is."""
    columns = [bytearray() for _ in range(COLUMNS)]
    columns[_KINDS].append(_OPAQUE)
    columns[_SIZES] += _varint(len(module))
    columns[_BYTES] += module
    return columns


def _columns(tokens: Iterable[Token], caches: Sequence[int]) -> tuple[list[bytearray], int]:
    """The columns of a module, and how many of its line tables stay whole in them."""
    columns = [bytearray() for _ in range(COLUMNS)]
    codes: list[bytes] = []  # whose line tables are still to come
    whole = 0
    for token in tokens:
        field, content = token.field, token.content
        is_bytes = token.letter == _BYTES_OBJECT
        if field is Field.CODE:
            codes.append(content if is_bytes else b"")
        code = codes.pop() if field is Field.LINES else b""
        if not is_bytes:
            _add_value(columns, token)
            continue
        columns[_KINDS].append(token.kind)
        if field is Field.LINES:
            whole += not _add_lines(columns, content, code, caches)
        else:
            columns[_SIZES + field] += _varint(len(content))
            columns[_BYTES + field] += _without_caches(content, caches) if field is Field.CODE else content
    return columns, whole


def _add_value(columns: list[bytearray], token: Token) -> None:
    """Add an object that isn't bytes, with its kind."""
    field, kind, content, objects = token
    if field is Field.FIRST_LINE:
        columns[_FIRST_LINES] += _varint(int.from_bytes(content, "little"))
        return
    letter = token.letter
    counted = letter in _STRINGS and 0 in content
    columns[_KINDS] += bytes((_COUNTED, kind)) if counted else bytes((kind,))
    if letter in _STRINGS:
        columns[_TEXT] += _varint(len(content)) + content if counted else content + b"\0"
    elif letter in _CONTAINERS:
        columns[_COUNTS] += _varint(objects)
    elif letter == _REFERENCE:
        columns[_REFERENCES] += _varint(int.from_bytes(content, "little"))
    elif letter == _CODE:
        for number, value in enumerate(NUMBERS.unpack(content)):
            columns[_NUMBERS + number] += _varint(value & 0xFFFFFFFF)
    else:
        columns[_VALUES] += content


def _add_lines(columns: list[bytearray], table: bytes, code: bytes, caches: Sequence[int]) -> bool:
    """Add a line table: of each line, how many instructions it has and the step to it.

    The step is 0 for no line, otherwise one more than in the table. A table that could not be put back so stays whole,
    and False is returned.
    """
    lines = lines_of(table)
    counts = _instructions(lines, code, caches) if lines is not None and line_table(lines) == table else None
    if lines is None or counts is None:
        columns[_SIZES + Field.LINES] += _varint(len(table) + 1)
        columns[_BYTES + Field.LINES] += table
        return False
    columns[_SIZES + Field.LINES] += _varint(0)
    for count, line in zip(counts, lines, strict=True):
        columns[_INSTRUCTIONS] += _varint(count)
        columns[_STEPS] += _varint(0 if line.step is None else line.step + 1)
    return True


def _instructions(lines: Iterable[Line], code: bytes, caches: Sequence[int]) -> list[int] | None:
    """How many instructions each line has; None where lines begin or end elsewhere than they do."""
    counts: list[int] = []
    at = 0
    for line in lines:
        end, count = at + 2 * line.units, 0
        while at < min(end, len(code)):
            at += 2 + 2 * caches[code[at]]
            count += 1
        if at != end:
            return None
        counts.append(count)
    return counts if at == len(code) else None


def _without_caches(code: bytes, caches: Sequence[int]) -> bytes:
    """Instructions without the inline caches that follow them."""
    kept = bytearray()
    at = 0
    while at < len(code):
        cache = at + 2
        kept += code[at:cache]
        at = cache + 2 * caches[code[at]]
        if at > len(code) or any(code[cache:at]):
            raise UnknownFormatError("an inline cache that isn't empty")
    return bytes(kept)


def _varint(number: int) -> bytes:
    if number < _MORE:
        return bytes((number,))
    data = bytearray()
    while number >= _MORE:
        data.append(number & 0x7F | _MORE)
        number >>= 7
    data.append(number)
    return bytes(data)


def absolute_branches(code: bytes, platform: str) -> bytes:
    """Machine code whose calls and jumps name their targets, counted from the code's beginning.

    The code can be had back, whatever it is: what looks like a branch and isn't one is changed in the same way.
    """
    return _X86_BRANCH.sub(_Absolute(len(code)), code) if platform == "linux/amd64" else _absolute_arm64(code)


_X86_BRANCH = re.compile(rb"[\xe8\xe9].{4}", re.DOTALL)  # call and jmp with a distance of 32 bits
_DISTANCE = struct.Struct("<i")


class _Absolute:
    """A branch with its target in place of its distance.

    Distances that lead behind the section are shifted into the range that is free then, so that the map is one to one.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def __call__(self, match: re.Match[bytes]) -> bytes:
        branch, at = match.group(), match.start()
        (distance,) = _DISTANCE.unpack_from(branch, 1)
        if -at <= distance < self._size - at:
            target = distance + at
        elif self._size - at <= distance < self._size:
            target = distance - self._size
        else:
            return branch
        return branch[:1] + _DISTANCE.pack(target)


_ARM64_BL, _ARM64_DISTANCE = 0x94000000, 0x03FFFFFF  # the distance counts instructions


def _absolute_arm64(code: bytes) -> bytes:
    instructions = array("I", code[: len(code) & ~3])
    for place, instruction in enumerate(instructions):
        if instruction & ~_ARM64_DISTANCE == _ARM64_BL:
            instructions[place] = _ARM64_BL | instruction + place & _ARM64_DISTANCE
    return instructions.tobytes() + code[len(instructions) * 4 :]
