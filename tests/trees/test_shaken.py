"""What a program reaches from the way in which it's started."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.project.config import load
from cannery.python.interpreter import describe
from cannery.trees.app import app_tree
from cannery.trees.shaken import reach_of
from cannery.trees.wheels import NO_WHEELS

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

SCRIPT = '[project]\nname = "app"\nversion = "1"\n[project.scripts]\napp = "app:main"\n'
SERVED = '[tool.cannery]\nentry = "server.py"\nargs = ["app:main()", "--bind", "0.0.0.0:8000"]\n'
ALONE = '[tool.cannery]\nentry = "server.py"\n'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "there"), [(SCRIPT, True), (SERVED, True), (ALONE, False)], ids=["started", "served", "neither"]
)
def test_a_function_that_only_the_module_as_a_program_uses_counts_where_it_starts_another(
    make_project: MakeProject, workspace: Workspace, settings: str, *, there: bool
) -> None:
    main = "def main():\n    import csv\nif __name__ == '__main__':\n    main()"
    files = {"app.py": main, "server.py": "import importlib, sys\nimportlib.import_module(sys.argv[1])"}
    app = load(make_project({**files, "pyproject.toml": settings}))
    python = describe(Path(sys.executable), workspace)
    found = reach_of(app, python, app_tree(app, workspace), NO_WHEELS, workspace)
    assert ("csv" in found.modules) == there
