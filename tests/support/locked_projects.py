"""Tiny real projects, locked by the real tools."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cannery.project.poetry_lock import poetry
from cannery.workspace.process import find_uv, run
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

UV_PROJECT = """
[project]
name = "tinned"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["iniconfig>=2"]

[project.optional-dependencies]
colour = ["colorama>=0.4"]

[dependency-groups]
test = ["pluggy>=1"]
dev = ["packaging>=24"]
"""

POETRY_PROJECT = """
[tool.poetry]
name = "bottled"
version = "1.0"
description = ""
authors = []
package-mode = false

[tool.poetry.dependencies]
python = ">=3.11"
iniconfig = "^2"
colorama = { version = "*", optional = true }

[tool.poetry.extras]
colour = ["colorama"]

[tool.poetry.group.test.dependencies]
pluggy = "^1"

[[tool.poetry.source]]
name = "simple"
url = "https://pypi.org/simple/"
priority = "primary"

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""


def make_uv_project(folder: Path, pyproject: str = UV_PROJECT) -> Path:
    """A project that uv locked."""
    (folder / "pyproject.toml").write_text(pyproject)
    run([find_uv(), "lock", f"--python={sys.executable}"], cwd=folder)
    return folder


def make_poetry_project(folder: Path, pyproject: str = POETRY_PROJECT) -> Path:
    """A project that Poetry locked."""
    (folder / "pyproject.toml").write_text(pyproject)
    run([str(poetry(Workspace.default())), "lock"], cwd=folder, env={"POETRY_VIRTUALENVS_CREATE": "false"})
    return folder
