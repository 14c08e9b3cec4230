"""What bytecode shows is read without trusting whoever wrote it."""

from __future__ import annotations

import importlib.util
import marshal
import textwrap

import pytest

from cannery.audit.pyc import Code, assignments_of, is_start_of_bytecode, is_start_of_source, read_pyc, strings_of

_HEADER = importlib.util.MAGIC_NUMBER + bytes(12)
_CODE = b"c" + bytes(20)  # and its five numbers
_FLAG = 0x80


def pyc(source: str) -> bytes:
    return _HEADER + marshal.dumps(compile(textwrap.dedent(source), "/build/m.py", "exec"))


def with_constants(constants: bytes) -> bytes:
    """A module with these constants, which no compiler made."""
    return (
        _HEADER + _CODE + b"s\0\0\0\0" + constants + b")\0)\0s\0\0\0\0z\0z\4namez\4name" + bytes(4) + b"s\0\0\0\0" * 2
    )


def texts(data: bytes) -> list[str]:
    code = read_pyc(data)
    assert isinstance(code, Code)
    return list(strings_of(code))


def test_names_and_texts_are_shown_and_the_path_of_the_source_is_not() -> None:
    source = """
        'A docstring.'
        from shop import pricing
        def rebate(price):
            return pricing.of(price, "half", b"bytes")
    """
    found = texts(pyc(source))
    assert found[0] == "<module>"
    assert {"shop", "pricing", "rebate", "A docstring.", "of", "price", "half", "bytes"} <= set(found)
    assert not any("/build" in text for text in found)


@pytest.mark.parametrize(
    ("source", "starts"),
    [
        ("import sys\nfrom shop.cli import main\nsys.exit(main())\n", True),
        ("from x import app\nif __name__ == '__main__':\n    app.run()\n", True),
        ("def f(): pass\n", False),
        ("SECRET = 'a long text'\n", False),
        ("x = 1000000000000\n", False),
    ],
)
def test_a_module_that_only_starts_something_is_known(source: str, *, starts: bool) -> None:
    code = read_pyc(pyc(source))
    assert code is not None
    assert is_start_of_bytecode(code) is starts


@pytest.mark.parametrize(
    "source",
    [
        "DB_PASSWORD = 'value'",
        "class Settings:\n    DB_PASSWORD = 'value'",
        "def connect():\n    DB_PASSWORD = 'value'\n    return DB_PASSWORD",
        "settings = {'user': 'x', 'DB_PASSWORD': 'value'}",
        "connect(user='x', DB_PASSWORD='value')",
        "import settings\nsettings.DB_PASSWORD = 'value'",
        "settings['DB_PASSWORD'] = 'value'",
    ],
)
def test_a_text_is_known_with_the_name_that_it_is_set_to(source: str) -> None:
    code = read_pyc(pyc(source))
    assert code is not None
    assert ("DB_PASSWORD", "value") in set(assignments_of(code))


@pytest.mark.parametrize("source", ["PRICE = 19.99", "PRICE = 1999", "PASSWORD = 'x1'", "KEYS = ['a1', 'b2']"])
def test_a_module_of_constants_is_no_start(source: str) -> None:
    code = read_pyc(pyc(source))
    assert code is not None
    assert not is_start_of_bytecode(code)
    assert not is_start_of_source(source.encode())


def test_what_lies_behind_the_module_hides_nothing() -> None:
    assert "hidden" in texts(pyc("x = 'hidden'") + b"more")


def test_a_text_that_claims_to_be_ascii_hides_nothing() -> None:
    assert "\xe9t\xe9" in texts(with_constants(b")\1z\3\xe9t\xe9"))


def test_constants_that_share_their_parts_take_no_time() -> None:
    doubled = b"".join(
        bytes((ord(")") | _FLAG, 2)) + b"r" + bytes((n, 0, 0, 0)) + b"r" + bytes((n, 0, 0, 0)) for n in range(60)
    )
    constants = b"(" + (61).to_bytes(4, "little") + bytes((ord("z") | _FLAG,)) + b"\4deep" + doubled
    assert texts(with_constants(constants)) == ["name", "deep", *["deep"] * 2]


def test_a_module_may_be_as_deep_as_python_reads_it() -> None:
    assert texts(with_constants(b")\1" * 1900 + b"z\4deep")) == ["name", "deep"]
    assert read_pyc(with_constants(b")\1" * 3000 + b"z\4deep")) is None


@pytest.mark.parametrize(
    "data",
    [
        b"", _HEADER, _HEADER + b"N", _HEADER + b"?", b"\xa6\r\r\n" + pyc("")[4:], with_constants(b"N"),
        with_constants(b")\1r\x09\0\0\0"), with_constants(b")\1r\xff\xff\xff\xff"),
        with_constants(b")\1u\2\0\0\0\xc3\x28"),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_module_of_a_known_python_is_none(data: bytes) -> None:
    assert read_pyc(data) is None
