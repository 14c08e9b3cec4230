"""Programs of others that read what is pushed, where they are: on PATH, or in the folder that JUDGES names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["judged"]


def judged(*command: str) -> str:
    """What a judge such as cosign says, which has to accept; the test is skipped where it isn't here."""
    folder = Path(os.environ.get("JUDGES") or "/nonexistent", "usr/bin")
    program = shutil.which(command[0], path=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        pytest.skip(f"{command[0]} is not here")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
