"""Modules are imported when something of them is asked for, and not before."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from cannery.workspace.postponed import postponed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("late_package", "late_package.part", "user", "another")


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with a module, and two that import it in the ways that there are."""
    (tmp_path / "late_package").mkdir()
    (tmp_path / "late_package/__init__.py").write_text("NAME = 'package'\n")
    (tmp_path / "late_package/part.py").write_text(
        "class Made:\n    def __init__(self, *args, **more):\n        self.given = args, more\nOTHER = 7\n"
    )
    (tmp_path / "user.py").write_text("from late_package.part import Made\n\ndef make():\n    return Made(1, a=2)\n")
    (tmp_path / "another.py").write_text("import late_package.part as part\nfrom late_package.part import OTHER\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in NAMES:
        sys.modules.pop(name, None)


def test_what_is_only_called_is_imported_by_the_call() -> None:
    with postponed("late_package.part", "Made"):
        user = import_module("user")
    assert sys.modules.keys().isdisjoint({"late_package", "late_package.part"})
    made = user.make()
    assert made.given == ((1,), {"a": 2})
    assert type(made) is import_module("late_package.part").Made


def test_whatever_else_is_asked_for_is_imported_there_and_then() -> None:
    with postponed("late_package.part", "Made"):
        another = import_module("another")
    assert (another.OTHER, another.part.OTHER) == (7, 7)
    assert sys.modules["late_package.part"].OTHER == 7


def test_who_imports_it_afterwards_gets_it_and_one_that_is_there_stays() -> None:
    with postponed("late_package"):
        pass
    package = import_module("late_package")
    assert package.NAME == "package"
    with postponed("late_package"):
        assert import_module("late_package") is package
    assert sys.modules["late_package"] is package


def test_a_name_that_the_module_lacks_is_told_as_ever(tmp_path: Path) -> None:
    (tmp_path / "another.py").write_text("from late_package.part import Missing\n")
    with postponed("late_package.part"), pytest.raises(ImportError, match="cannot import name 'Missing'"):
        import_module("another")


def test_an_import_that_fails_leaves_no_stand_in() -> None:
    with pytest.raises(ValueError, match="on purpose"), postponed("late_package.part"):
        raise ValueError("on purpose")
    assert "late_package.part" not in sys.modules
