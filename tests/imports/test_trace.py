"""What a run imports counts as well."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.imports.trace import traced
from cannery.project.config import load
from cannery.python.interpreter import describe
from cannery.trees.app import app_tree
from cannery.trees.shaken import reach_of

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

PYTHON = sys.executable


def test_who_imports_what_is_seen_in_every_python(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project(
        {
            "a.py": "import importlib\nimportlib.import_module('B'.lower())",
            "b.py": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import c'], check=True)",
            "c.py": "import os\nimport d\nos._exit(0)",
            "d.py": "",
        }
    )
    found = traced(f"{PYTHON} -c 'import a'", folder, workspace, of=())
    assert {("", "a"), ("a", "b"), ("", "c"), ("c", "d")} <= set(found)


def test_it_is_run_again_only_when_what_it_traces_has_changed(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"a.py": "open('runs', 'a').write('x')"})
    for key in ("one", "one", "two"):
        traced(f"{PYTHON} -c 'import a'", folder, workspace, of=[key])
    assert (folder / "runs").read_text() == "xx"


def test_a_sitecustomize_that_is_there_is_loaded_as_well(
    make_project: MakeProject, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project({"site/sitecustomize.py": "import sys\nsys.flag = 'there'", "a.py": ""})
    monkeypatch.setenv("PYTHONPATH", str(folder / "site"))
    check = "import sys, a; assert sys.flag"
    assert ("", "a") in traced(f"{PYTHON} -c '{check}'", folder, workspace, of=())


@pytest.mark.parametrize("command", ["false", "'", " "])
def test_a_command_that_fails_or_is_none_is_refused(command: str, tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="trace"):
        traced(command, tmp_path, workspace, of=())


def test_what_the_program_imports_in_it_is_reached_and_what_others_do_is_not(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project(
        {
            "main.py": "import sys\ndef work(name):\n    __import__('PLUG'.lower() + name)\nsys.argv[9:] and work('')",
            "tests/look.py": "import sys\nsys.path[:0] = ['.', 'wheels']\nimport wave, main\nmain.work('in')",
            "wheels/plugin.py": "",
            "pyproject.toml": f"[tool.cannery]\ntrace = '{PYTHON} tests/look.py'\n",
        }
    )
    app = load(folder)
    python = describe(Path(sys.executable), workspace)
    wheels = Tree({f"{python.image_site_packages}/plugin.py": File(Inline(b""))})
    found = reach_of(app, python, app_tree(app, workspace).code, LazyTree("wheels", lambda: wheels), workspace)
    assert "plugin" in found.modules
    assert "wave" not in found.modules
