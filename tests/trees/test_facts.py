"""Facts about files, which are remembered as they were found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.trees import facts
from cannery.trees.facts import FactsIndex, FileFacts
from tests.support.made_up_tokens import GITHUB

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

SOURCE = f"""
import json, subprocess, inspect
from pathlib import Path
token = "{GITHUB}"
data = Path("data/x.csv")
inspect.getsource(json)
sources = list(Path(__file__).parent.glob("*.py"))
subprocess.run(["git", "status"])
ctypes.CDLL("libm.so.6")
"""


def facts_of(path: Path, workspace: Workspace) -> FileFacts:
    index = FactsIndex(workspace, path.parent, frozenset({"data"}), lambda: Path(sys.executable))
    found = index.of(path, path.stat(), code=True)
    index.save()
    return found


def test_what_is_remembered_of_a_file_is_what_was_found(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "_SETTLED_NS", 0)  # a file that was written just now counts as settled, too
    path = tmp_path / "main.py"
    path.write_text(SOURCE)
    found = facts_of(path, workspace)
    assert [secret.rule for secret in found.secrets] == ["github-token"]
    assert all((found.code.imports, found.code.strings, found.code.programs, found.code.listing.line, found.libraries))

    def read(*_: object, **__: object) -> FileFacts:
        pytest.fail("the file was read again")

    monkeypatch.setattr(FactsIndex, "_read", read)
    assert facts_of(path, workspace) == found
