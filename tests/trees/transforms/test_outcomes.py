"""Rewritten files: what was altered before isn't hidden by what is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.elf.outcome import Outcome
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import File
from cannery.trees.transforms.outcomes import with_outcome
from cannery.workspace.digest import Digest
from cannery.workspace.files import ChangedFileError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once


def test_a_file_that_was_altered_is_not_rewritten(tmp_path: Path) -> None:
    (tmp_path / "lib.so").write_bytes(b"right")
    content = OnDisk(tmp_path / "lib.so", 5, Digest.of(b"right"))
    made = Outcome(Inline(b"small"))
    assert with_outcome("/lib.so", File(content), made)[0].content == Inline(b"small")
    (tmp_path / "lib.so").write_bytes(b"wrong")
    with pytest.raises(ChangedFileError):
        with_outcome("/lib.so", File(content), made)
    assert with_outcome("/lib.so", File(content), Outcome(content))[0].content is content
