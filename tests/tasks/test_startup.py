"""What a start imports: nothing slow that it doesn't need, as nearly all of an unchanged build's time are imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

# Of those, Invoke imports none itself.
SLOW = {
    "docker",
    "filelock",
    "msgspec",
    "nox",
    "packaging",
    "platformdirs",
    "requests",
    "rich",
    "tarfile",
    "tomllib",
    "uv",
}
# What Invoke imports at its beginning, for tests of tasks and for settings in YAML.
OF_INVOKE = {"asyncio", "invoke.vendor.yaml", "unittest.mock"}
# Parts of cannery that only make something, and so are not needed where nothing has changed.
MAKERS = {
    *("cannery.audit", "cannery.executable", "cannery.imports", "cannery.trees.base", "cannery.trees.cython"),
    *("cannery.elf.closure", "cannery.elf.headers", "cannery.elf.strip", "cannery.image.gzip", "cannery.image.tar"),
    *("cannery.containers.engine.engine", "cannery.containers.engine.sdk", "cannery.image.media.files"),
    *("cannery.image.registry", "cannery.python.marshal", "cannery.python.versions", "cannery.recipes.dockerfile"),
    *("cannery.recipes.on_base", "cannery.recipes.onefile", "cannery.recipes.static", "cannery.recipes.tiny"),
}


def imported(*command: str, cwd: Path | None = None) -> set[str]:
    """The modules that Python imports, and their packages; those of coverage's own are not to be counted."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        cwd=cwd, env={**environment, "CANNERY_ENGINE": "none"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(re.findall(r"^import time: +\d+ \| +\d+ \| +([\w.]+)$", done.stderr, re.MULTILINE))


def test_a_list_of_commands_imports_no_settings_and_nothing_that_makes_images() -> None:
    found = imported("-m", "cannery", "--list")
    assert "invoke.program" in found
    assert found.isdisjoint(SLOW | MAKERS | OF_INVOKE)
    beside = {name for name in found if name.startswith("cannery.")} - {"cannery.errors", "cannery.tasks"}
    assert {name for name in beside if not name.startswith("cannery.tasks.")} == {
        *("cannery.project", "cannery.project.flags", "cannery.workspace", "cannery.workspace.streams"),
        "cannery.workspace.postponed",
    }
    assert "cannery.tasks.report" not in beside


@pytest.mark.slow
def test_an_unchanged_build_imports_nothing_that_would_make_something(make_project: MakeProject) -> None:
    folder = make_project(
        {
            "main.py": "import ctypes, helper, zoneinfo\nctypes.CDLL('libz.so.1')\n",
            "helper.py": "",
            "requirements.txt": "six==1.17.0\n",
        }
    )
    first = imported("-m", "cannery", "image", cwd=folder)
    assert {"tarfile", "filelock", "cannery.elf.closure", "cannery.image.gzip"} <= first
    second = imported("-m", "cannery", "image", cwd=folder)
    assert "cannery.recipes.scratch" in second
    assert second.isdisjoint(MAKERS)
    assert second & SLOW <= {"msgspec", "platformdirs", "tomllib"}
    assert second.isdisjoint(OF_INVOKE)


@pytest.mark.slow
def test_an_unchanged_tiny_build_looks_for_no_imports(make_project: MakeProject) -> None:
    folder = make_project(
        {"main.py": "'Searched by no other test.'", "pyproject.toml": '[tool.cannery]\nrecipe = "tiny"\n'}
    )
    searching = {"cannery.imports.search", "cannery.imports.graph", "cannery.imports.source"}
    assert searching <= imported("-m", "cannery", "image", cwd=folder)
    assert searching.isdisjoint(imported("-m", "cannery", "image", cwd=folder))
