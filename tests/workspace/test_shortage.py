"""Why a program failed, told by its words; that compilers have these words is shown where they run out of room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.workspace.process import ProgramFailed
from cannery.workspace.shortage import shortage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("exit_code", "said", "short"),
    [
        (1, "error: unable to write: NoSpaceLeft", "No space left on device"),
        (2, "make: *** [Makefile:1: x.o] Killed", "where memory is short"),
        (-9, "", "where memory is short"),
        (1, "main.c:1:1: error: expected expression", ""),
    ],
)
def test_why_a_compiler_failed_is_told_by_what_it_says(exit_code: int, said: str, short: str, tmp_path: Path) -> None:
    found = shortage(ProgramFailed(["zig", "cc"], exit_code, "", said), tmp_path)
    assert short in str(found) if short else found is None
