"""An executable is made anew when what makes it has changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from cannery.executable.static.maker import CODE, code_of, maker_key

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the package."""
    return shutil.copytree(CODE, tmp_path / "cannery", ignore=shutil.ignore_patterns("__pycache__"))


def test_a_copy_of_the_code_makes_the_same(code: Path) -> None:
    assert maker_key(code) == maker_key()


def test_a_change_of_any_part_makes_another(code: Path) -> None:
    keys = {maker_key(code)}
    parts = list(code_of(code))
    for part in parts:
        part.write_text(f"{part.read_text(encoding='utf-8')}\n", encoding="utf-8")
        keys.add(maker_key(code))
    assert len(keys) == len(parts) + 1
    named = {each.name for each in parts}
    assert {"executable.py", "link.py", "packing.py", "main.c", "stub.c", "importer.py"} <= named


def test_a_change_elsewhere_changes_nothing(code: Path) -> None:
    (code / "recipes.py").write_text("", encoding="utf-8")
    assert maker_key(code) == maker_key()


def test_another_compiler_or_compressor_makes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    before = maker_key()
    monkeypatch.setattr("cannery.executable.static.maker.version", lambda _: "0.0")
    assert maker_key() != before
