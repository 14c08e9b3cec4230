"""Bytecode is read as data, whoever wrote it."""

from __future__ import annotations

import marshal
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from cannery.python.marshal import Field, Token, UnknownFormatError, joined, tokens_in, tokens_of, with_few_references

_FLAG = 0x80
_ODD: Any = (
    (*range(300), 1.5, 2j, 1 << 200, -(1 << 70), "a\0b", "\udc80", "é" * 300, b"\0\1", ..., None, True, StopIteration),
    frozenset({1, "a"}),
)


def code(source: str) -> bytes:
    return marshal.dumps(compile(source, "m.py", "exec"))


def kinds(data: bytes) -> str:
    return "".join(chr(token.letter) for token in tokens_of(data))


@pytest.mark.slow
def test_all_that_this_python_compiles_is_read_and_written_as_it_was() -> None:
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.glob("*.py")):
        data = code(path.read_text("utf-8"))
        assert joined(tokens_of(data)) == data, path


def test_values_of_every_kind_are_read_and_written_as_they_were() -> None:
    data = marshal.dumps(_ODD)
    assert joined(tokens_of(data)) == data
    assert kinds(data)[:3] == ")(i"
    assert {*"(>iglyzus.NTS"} < {*kinds(data)}


@pytest.mark.skipif(sys.version_info < (3, 14), reason="slices are constants since 3.14")
def test_a_slice_is_three_objects() -> None:
    assert ":iiN" in kinds(code("x[1:2]"))


def test_the_parts_of_a_code_object_are_told_apart() -> None:
    source = "try:\n    x = 1\nexcept E:\n    pass\n"
    first, *rest = tokens_of(code(source))
    whole = compile(source, "m.py", "exec")
    assert (first.letter, first.parts) == (ord("c"), 11)
    found = {token.field: token.content for token in rest if token.field is not Field.VALUE}
    assert found[Field.CODE] == whole.co_code
    assert found[Field.LINES] == whole.co_linetable
    assert found[Field.EXCEPTIONS] == whole.co_exceptiontable
    assert int.from_bytes(found[Field.FIRST_LINE], "little") == whole.co_firstlineno


def test_what_no_reference_means_is_not_numbered_and_the_rest_is_numbered_anew() -> None:
    one, two = bytes((ord("i") | _FLAG,)) + bytes(4), bytes((ord("i") | _FLAG, 1)) + bytes(3)
    data = b")\4" + one + two + b"r\1\0\0\0" + b"N"
    fewer = joined(with_few_references(tokens_of(data)))
    assert fewer == b")\4" + b"i" + bytes(4) + two + b"r\0\0\0\0" + b"N"
    assert marshal.loads(fewer) == marshal.loads(data) == (0, 1, 1, None)  # noqa: S302  # written above


def test_what_lies_behind_an_object_is_left_alone_or_refused() -> None:
    assert [*tokens_in(b"Nmore")] == [Token(Field.VALUE, ord("N"), b"")]
    with pytest.raises(UnknownFormatError, match="4 bytes after"):
        tokens_of(b"Nmore")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"s", b"i\0\0\0", b"(\xff\xff\xff\x7f", b"(\xff\xff\xff\xff", b")\2N", b"s\xff\xff\xff\xffx", b"?", b"{",
        b"s\xfe\xff\xff\xff", b"l\0\0\0\x80", b"z\5abc", b"c" + bytes(20), b")\1" * 3000 + b"N", b"(\1\0\0\0" * 10**6,
    ],
    ids=range(15),
)  # fmt: skip
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(UnknownFormatError):
        tokens_of(data)


def test_what_python_reads_is_not_too_deep() -> None:
    data = b")\1" * 1900 + b"N"
    assert len(tokens_of(data)) == 1901
    value = marshal.loads(data)  # noqa: S302
    assert len(value) == 1


def test_damaged_bytecode_is_refused_or_read_and_no_more() -> None:
    data = code("def f(x):\n    return {x: 'a' * 9}\n")
    for place in range(len(data)):
        for byte in (0, 0x7F, 0xFF):
            damaged = data[:place] + bytes((byte,)) + data[place + 1 :]
            try:
                assert joined(tokens_of(damaged)) == damaged
            except UnknownFormatError:
                continue
