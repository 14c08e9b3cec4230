"""What an executable holds: what imports show, and what the settings `include` and `trace` add."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cannery.executable.kit.toolchain import native_target
from cannery.image.tree import LazyTree, Tree
from cannery.project.config import load
from cannery.recipes.common import pinned_dependencies, settled_app
from cannery.recipes.static_program.executable import executable
from cannery.recipes.static_program.kit import kit_for, target_of_kit
from cannery.trees.app import app_tree
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

FILES = {
    "main.py": "import sys\nimport loading\nloading.load(sys.argv[1])\n",
    "loading.py": "def load(name):\n    return __import__(name[::-1])\n",
    "check.py": "import loading\nloading.load('dehcs')\n",
}


def reached(folder: Path, workspace: Workspace) -> set[str]:
    app = load(folder)
    kit = kit_for(app, native_target().platform, workspace)
    target = target_of_kit(kit)
    app = settled_app(app, pinned_dependencies(app, target, workspace), target, workspace)
    return set(executable(app, kit, app_tree(app, workspace), LazyTree("nothing", Tree), workspace).reach.modules)


@pytest.mark.parametrize(
    ("setting", "name"),
    [("include = ['colorsys']", "colorsys"), (f"trace = '{sys.executable} check.py'", "sched")],
    ids=["include", "trace"],
)
def test_modules_that_no_import_shows_come_in_by_a_setting(
    setting: str, name: str, make_project: MakeProject, kit: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANNERY_KIT", str(kit))
    workspace = Workspace(Cache(cache))
    plain = make_project({**FILES, "pyproject.toml": ""}, "plain")
    told = make_project({**FILES, "pyproject.toml": f"[tool.cannery]\n{setting}\n"}, "told")
    assert name not in reached(plain, workspace)
    assert name in reached(told, workspace)
