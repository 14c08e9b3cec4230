"""Programs of others that read what is pushed, where they are: on PATH, or in the folder that JUDGES names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["judge", "judged"]


def judge(name: str) -> str:
    """The path of a program of others; the test is skipped where it isn't here."""
    unpacked = Path(os.environ.get("JUDGES") or "/nonexistent", "usr")
    folders = [str(unpacked / "bin"), str(unpacked / "libexec/docker/cli-plugins"), os.environ.get("PATH", "")]
    program = shutil.which(name, path=os.pathsep.join(folders))
    if program is None:
        pytest.skip(f"{name} is not here")
    return program


def judged(*command: str, env: Mapping[str, str] | None = None) -> str:
    """What a judge such as cosign says, which has to accept; the test is skipped where it isn't here."""
    done = subprocess.run(
        [judge(command[0]), *command[1:]], capture_output=True, text=True, timeout=60, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
