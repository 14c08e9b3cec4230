"""What a run imports and opens is seen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.imports.trace import run_command, watched

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.imports.trace import Watched
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

PYTHON = sys.executable


def seen(command: str, folder: Path, workspace: Workspace) -> Watched:
    return watched(lambda watch: run_command(command, watch, workspace), folder, workspace)


def test_who_imports_what_is_seen_in_every_python(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project(
        {
            "a.py": "import importlib\nimportlib.import_module('B'.lower())",
            "b.py": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import c'], check=True)",
            "c.py": "import os\nimport d\nos._exit(0)",
            "d.py": "",
        }
    )
    found = seen(f"{PYTHON} -c 'import a'", folder, workspace)
    assert {("", "a"), ("a", "b"), ("", "c"), ("c", "d")} <= {*found.imports}


def test_the_files_of_the_project_that_are_read_are_seen_and_whose_code_reads_them(
    make_project: MakeProject, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").write_text("")
    code = "import a, pathlib\na.read('data/x.txt')\npathlib.Path('new').write_text('')\nopen('../elsewhere').close()"
    folder = make_project(
        {
            "a.py": "import pathlib\ndef read(name):\n    pathlib.Path(name).read_text()",
            "data/x.txt": "",
            "look.py": f"import sqlite3\n{code}\nopen('look.py').close()\nsqlite3.connect('x.db')",
        }
    )
    assert seen(f"{PYTHON} look.py", folder, workspace).opened == (("a.py", "data/x.txt"), ("look.py", "x.db"))


def test_shared_libraries_that_are_opened_by_name_are_seen(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"a.py": "import ctypes\nctypes.CDLL('libc.so.6')\nctypes.CDLL(None)"})
    assert ("a.py", "libc.so.6") in seen(f"{PYTHON} -c 'import a'", folder, workspace).libraries


def test_programs_that_only_find_a_library_are_none_that_the_program_needs(
    make_project: MakeProject, workspace: Workspace
) -> None:
    asked = "import subprocess, sys\nfrom ctypes.util import find_library\nfind_library('z')\n"
    folder = make_project({"a.py": f"{asked}subprocess.run([sys.executable, '-c', ''])"})
    assert seen(f"{PYTHON} -c 'import a'", folder, workspace).programs == (PYTHON,)


def test_a_sitecustomize_that_is_there_is_loaded_as_well(
    make_project: MakeProject, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project({"site/sitecustomize.py": "import sys\nsys.flag = 'there'", "a.py": ""})
    monkeypatch.setenv("PYTHONPATH", str(folder / "site"))
    check = "import sys, a; assert sys.flag"
    assert ("", "a") in seen(f"{PYTHON} -c '{check}'", folder, workspace).imports


@pytest.mark.parametrize("command", ["false", "'", " "])
def test_a_command_that_fails_or_is_none_is_refused(command: str, tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="trace"):
        seen(command, tmp_path, workspace)
