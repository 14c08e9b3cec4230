"""Nox, run in small projects as their users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

THIS = f"3.{sys.version_info.minor}"  # the Python that runs the tests, as classifiers name it
NOXFILE = """\
from cannery.sessions import export, lint, tests

__all__ = ["export", "lint", "tests"]
"""
PASSING = "def test_one() -> None:\n    assert True\n"
CLASSIFIED = f"""\
    [project]
    name = "tinned"
    version = "1"
    classifiers = ["Programming Language :: Python :: {THIS}"]
"""
_OURS = ("CI", "COV_", "COVERAGE_FILE", "NOX", "PYTEST_", "UV_")  # what the session around these tests sets


def nox(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run Nox; return its exit code and all that it wrote."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    done = subprocess.run(
        [sys.executable, "-m", "nox", *arguments],
        cwd=folder,
        env=kept | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def says(text: str, *words: str) -> bool:
    """Whether ``words`` stand in ``text`` in this order."""
    for word in words:
        _, found, text = text.partition(word)
        if not found:
            return False
    return True
