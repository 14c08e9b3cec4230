"""The repository as tests use it: the sample at its root, and the examples with tests of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["EXAMPLES", "ROOT", "assert_tests_pass", "copy_example"]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def copy_example(name: str, folder: Path) -> Path:
    """A copy of an example in ``folder``, so that nothing is made in the repository."""
    return Path(shutil.copytree(EXAMPLES / name, folder / name, ignore=shutil.ignore_patterns("dist", "__pycache__")))


def assert_tests_pass(tests: Path, **environ: str) -> None:
    """Let an example's own tests pass, against what ``environ`` names."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
