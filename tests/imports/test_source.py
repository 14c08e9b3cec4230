"""What is read of a single source."""

from __future__ import annotations

import sys

import pytest

from cannery.imports.extension import read_cython
from cannery.imports.model import Host, Import
from cannery.imports.source import read_source
from tests.support.sources import imported_by, newer_python, read

pytestmark = pytest.mark.once


def test_imports_are_read_wherever_they_stand() -> None:
    source = """
        import a.b, c
        from d import e
        from . import f
        from ..g import h
        class C:
            import i
            def f(self):
                with x as y:
                    for z in y:
                        import j
                match x:
                    case 1:
                        import k
    """
    assert imported_by(source) == {"a.b", "c", "d", ".", "..g", "i", "j", "k"}


@pytest.mark.parametrize(
    "condition",
    [
        "TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING", "sys.platform == 'win32'", "WINDOWS", "not POSIX",
        "sys.platform.startswith('win')", "os.name == 'nt'", "sys.version_info < (3, 8)", "sys.version_info[0] == 2",
        "sys.version_info[:2] < (3, 9)", "platform.system() == 'Windows'", "sys.implementation.name == 'pypy'",
        "__name__ == '__main__'", "x and False", "sys.platform in ('win32', 'cygwin')", "version_info >= (3, 12)",
    ],
)  # fmt: skip
def test_what_never_holds_here_is_left_out_and_its_other_side_is_not(condition: str) -> None:
    source = f"""
        import typing as t
        from typing import TYPE_CHECKING
        from sys import version_info
        WINDOWS = sys.platform == "win32"
        POSIX = os.name == "posix"
        if {condition}:
            import never
        else:
            import always
    """
    found = {each.module for each in read(source).imports}
    assert "always" in found
    assert "never" not in found


def test_both_sides_of_what_only_a_run_can_tell_are_read() -> None:
    assert imported_by("if x:\n import a\nelif y:\n import b\nelse:\n import c") == {"a", "b", "c"}
    assert imported_by("try:\n import a\nexcept ImportError:\n import b\nelse:\n import c\nfinally:\n import d") == {
        *"abcd"
    }


def test_a_name_that_is_bound_twice_is_no_constant() -> None:
    assert imported_by("FLAG = False\nif x:\n FLAG = True\nif FLAG:\n import a") == {"a"}


def test_a_program_s_own_test_run_is_read_when_it_is_the_program() -> None:
    source = "def _test():\n import doctest\nif __name__ == '__main__':\n _test()"
    assert imported_by(source) == set()
    assert imported_by(source, main=True) == {"doctest"}
    assert imported_by(f"x = _test\n{source}") == {"doctest"}


def needed(source: str) -> set[str]:
    return {each.module for each in read(source).imports if each.needed}


def test_a_module_needs_what_it_imports_unguarded_when_it_is_imported() -> None:
    assert needed("import a\nif x:\n import b\ndef f():\n import c\nclass C:\n import d") == {"a", "d"}
    for guard in ("except ImportError:", "except (KeyError, ModuleNotFoundError):", "except Exception:", "except:"):
        assert needed(f"try:\n import a\n{guard}\n pass") == set()
    assert needed("try:\n import a\nexcept KeyError:\n pass") == {"a"}
    assert needed("with contextlib.suppress(ImportError):\n import a") == set()


def test_a_module_that_always_raises_is_known_by_it() -> None:
    refusing = read("import sys\nif sys.platform != 'win32':\n raise ImportError('win32 only')\nimport after")
    assert refusing.refuses
    assert {each.module for each in refusing.imports} == {"sys"}
    assert not read("try:\n raise TypeError\nexcept TypeError:\n pass\nimport after").refuses
    assert not read("if x:\n raise ImportError").refuses
    assert read("this is no Python").refuses


def test_the_other_side_of_an_accelerator_is_tied_to_it() -> None:
    source = "try:\n from _decimal import *\nexcept ImportError:\n from _pydecimal import *"
    assert Import("_pydecimal", names=("*",), unless=("_decimal",)) in read(source).imports


def test_cython_s_imports_are_read_and_its_cimports_are_not() -> None:
    source = b"import asyncio, os\nfrom . import _noop as noop\ncimport cython\nfrom libc.string cimport memcpy\n"
    assert read_cython(source).imports == (Import("asyncio"), Import("os"), Import("", 1, ("_noop",)))


def test_a_newer_python_s_syntax_hides_no_imports() -> None:
    newer = (sys.version_info[0], sys.version_info[1] + 1, 0)
    source = b"import csv\nfrom json import decoder\ntype of the future = here\n"
    host = Host(newer, frozenset())
    found = read_source(source, host)
    assert not found.refuses
    assert {each.module for each in found.imports} == {"csv", "json"}
    assert read_source(source, Host((3, 11, 0), frozenset())).refuses


def test_a_newer_python_is_asked_to_parse() -> None:
    source = b"import sys\ndef f[T](x: T):\n    import csv\nif sys.platform == 'win32':\n    import winreg\n"
    found = read_source(source, Host((3, 99, 0), frozenset(), newer=str(newer_python())))
    assert [each.module for each in found.imports] == ["sys", "csv"]


def test_what_a_module_imports_when_an_attribute_is_asked_for_is_known_by_that_attribute() -> None:
    found = read("""
        def __getattr__(name):
            global one
            if name == "one":
                from .first import one
                return one
            elif name in {"two", "three"}:
                import second
            elif name.startswith("t"):
                import third
            import fourth
        class Class:
            def __getattr__(self, name):
                if name == "one":
                    import fifth
    """)
    assert {each.module: each.asked for each in found.imports} == {
        "first": ("one",), "second": ("two", "three"), "third": (), "fourth": (), "fifth": (),
    }  # fmt: skip


@pytest.mark.parametrize(
    "rest",
    [
        "if __name__ == '__main__':\n pass\nelse:\n _f()", "if sys.platform == 'win32':\n _g()\nelse:\n _f()",
        "if sys.platform == 'win32':\n _f()\nelif x:\n _f()",
    ],
)  # fmt: skip
def test_a_function_that_the_other_side_of_a_condition_runs_is_no_command_line(rest: str) -> None:
    assert read(f"def _f():\n import a\ndef _g(): pass\n{rest}").imports == (Import("a"),)


def test_a_function_with_a_decorator_may_be_called_by_who_made_that() -> None:
    source = "@app.task\ndef work():\n import a\nif __name__ == '__main__':\n work()"
    assert read(source).imports == (Import("a"),)


@pytest.mark.parametrize(
    "source",
    [
        "x = None\ntry:\n import x\nexcept E:\n pass", "x = []\nx.append(1)", "x = False\ndef x(): pass",
        "x = False\ndef f(x): pass", "x = None\nfrom a import b as x", "x = 0\ntry:\n pass\nexcept E as x:\n pass",
        "x = None\nmatch y:\n case [x, *_]:\n  pass",
    ],
)  # fmt: skip
def test_a_name_that_may_come_to_something_else_decides_nothing(source: str) -> None:
    assert "here" in imported_by(f"{source}\ndef g():\n if x:\n  import here")


def test_what_only_a_module_s_own_command_line_runs_may_be_asked_for() -> None:
    found = read("""
        def main():
            import one
            helper(); _private()
        def helper(): import two
        def _private(): import three
        def used(): import four
        used()
        if __name__ == "__main__":
            main(); used()
    """)
    asked = ("helper", "main")
    assert {each.module: each.asked for each in found.imports} == {
        "one": asked, "two": asked, "three": asked, "four": (),
    }  # fmt: skip
