"""What uv's complaints mean."""

from __future__ import annotations

import pytest

from cannery.errors import MachineError
from cannery.project.uv_errors import explain
from cannery.workspace.process import ProgramFailed

# uv's own words, as it breaks them at 80 columns.
UNWRITABLE = """error: Failed to initialize cache at `/nonexistent/uv`
  cause: failed to create directory `/nonexistent/uv`: Permission denied (os
         error 13)
"""


@pytest.mark.parametrize("words", [UNWRITABLE, " ".join(UNWRITABLE.split())], ids=["broken", "unbroken"])
def test_a_refusal_of_the_machine_is_told_from_a_fault_of_the_requirements(words: str) -> None:
    error = explain(ProgramFailed(["uv"], 2, "", words), "cannot resolve", "correct requirements.txt")
    assert isinstance(error, MachineError)
    assert "UV_CACHE_DIR" in error.step
