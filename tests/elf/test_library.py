"""The room as a library: what it offers, what that costs, and examples that work."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cannery.elf

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[2] / "docs" / "elf.md"


def test_each_name_that_is_offered_is_there() -> None:
    assert [name for name in cannery.elf.__all__ if getattr(cannery.elf, name).__name__ != name] == []
    assert sorted(cannery.elf.__all__) == list(cannery.elf.__all__)


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'relocate'"):
        _ = cannery.elf.relocate  # type: ignore[attr-defined]


def test_reading_imports_nothing_that_rewrites() -> None:
    code = "import sys, cannery.elf.dynamic; print(*sorted(m for m in sys.modules if m.startswith('cannery.elf')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = ("", ".constants", ".dynamic", ".headers", ".machines", ".spans")
    assert done.stdout.split() == [f"cannery.elf{name}" for name in names]


def test_the_examples_of_the_package_work() -> None:
    done = doctest.testmod(cannery.elf)
    assert done.attempted > 5
    assert done.failed == 0


def test_the_examples_of_the_page_work() -> None:
    text = re.sub(r"^```.*", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    runner = doctest.DocTestRunner()
    done = runner.run(doctest.DocTestParser().get_doctest(text, {}, "elf.md", str(PAGE), 0))
    assert done.attempted > 15
    assert done.failed == 0


def test_the_page_names_all_that_is_offered() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in cannery.elf.__all__ if name not in text] == []
