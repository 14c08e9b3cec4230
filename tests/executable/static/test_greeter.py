"""The example of a command line, which fire makes from docstrings, as a static executable without OpenSSL."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

GREETER = ROOT / "examples/greeter"
RUN = (sys.executable, "-m", "cannery", "run", "--recipe=static", "--engine=none")  # read-only, as 65535


def test_it_greets_counts_and_shows_its_docstrings(tmp_path: Path, kit: Path, cache: Path) -> None:
    folder = shutil.copytree(GREETER, tmp_path / "greeter", ignore=shutil.ignore_patterns("dist", "__pycache__"))
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as configuration:
        configuration.write('\n[tool.cannery.static]\nwithout = ["ssl"]\n')
    environment = {**os.environ, "CANNERY_KIT": str(kit), "CANNERY_CACHE": str(cache)}
    environment["GREETER"] = shlex.join([*RUN, f"--project={folder}", "--"])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(GREETER / "tests")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
