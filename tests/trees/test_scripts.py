"""The scripts that start commands, as Python runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.project.app import Command, FunctionEntry, ModuleEntry, ScriptEntry, Variable
from cannery.project.config import load
from cannery.trees.app import app_tree
from cannery.trees.scripts import check_program, script_name, script_of

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

FUNCTION = FunctionEntry("tool", "shown", "main")
SHOWN = "import os, sys\n\ndef main():\n    print(os.environ.get('A'), sys.argv[1:])\n    return 3\n"
WORDS = ("x", ("--port=", Variable("PORT", "8000")), (Variable("NONE"),), "it's")


def said(folder: Path, command: Command, *arguments: str, **env: str) -> str:
    """What the script of ``command`` prints; ``main`` of the module that it imports prints its arguments."""
    (folder / "shown.py").write_text(SHOWN)
    script = folder / "script"
    script.write_text("\n".join(script_of(command, sys.executable)) + "\n")
    script.chmod(0o755)
    done = subprocess.run([script, *arguments], capture_output=True, text=True, check=False, env=env, cwd=folder)
    assert done.stderr == ""
    return done.stdout.strip()


def test_arguments_come_behind_those_of_a_command(tmp_path: Path) -> None:
    command = Command("work", FUNCTION, WORDS, env=(("A", "b"),))
    assert said(tmp_path, command, "y") == """b ['x', '--port=8000', "it's", 'y']"""
    assert said(tmp_path, command, PORT="80", NONE="some") == """b ['x', '--port=80', 'some', "it's"]"""


def test_arguments_take_the_place_of_those_that_the_image_starts_with(tmp_path: Path) -> None:
    command = Command("", FUNCTION, WORDS)
    assert said(tmp_path, command) == """None ['x', '--port=8000', "it's"]"""
    assert said(tmp_path, command, "y") == "None ['y']"


def test_what_the_image_knows_by_itself_is_not_in_the_script() -> None:
    lines = list(script_of(Command("", FUNCTION, ("x",)), "/usr/local/bin/python3"))
    assert lines == [
        "#!/usr/local/bin/python3",
        "import sys",
        "",
        "from shown import main",
        "",
        'if __name__ == "__main__":',
        "    sys.exit(main())",
    ]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (Command("", FUNCTION, ("x",)), "tool"),
        (Command("", ModuleEntry("a"), ("x",)), None),
        (Command("", ScriptEntry(PurePosixPath("a.py"))), None),
        (Command("", ModuleEntry("a"), ((Variable("PORT"),),)), "start"),
        (Command("", ModuleEntry("a"), env=(("A", "b"),)), "start"),
        (Command("work", ModuleEntry("a")), "work"),
    ],
)
def test_only_what_python_can_t_be_told_has_a_script(command: Command, name: str | None) -> None:
    assert script_name(command) == name


def test_modules_and_files_are_started_as_by_hand(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text("import sys\nprint(__name__, sys.argv[1:])\n")
    assert said(tmp_path, Command("a", ModuleEntry("told"), ("x",)), "y", PYTHONPATH=str(tmp_path)) == (
        "__main__ ['x', 'y']"
    )
    script = Command("a", ScriptEntry(PurePosixPath(tmp_path / "told.py"), ""), ("x",))
    lines = "\n".join(script_of(script, sys.executable, ".py")).splitlines()
    assert lines[-1] == f"os.execv(sys.executable, [sys.executable, '{tmp_path}/told.py', *sys.argv[1:]])"


def test_a_command_is_not_called_like_the_program_that_holds_all(make_project: MakeProject) -> None:
    settings = '[tool.cannery]\nname = "team/shop"\nentry = "main.py"\ncommands = { shop = "main.py" }\n'
    app = load(make_project({"main.py": "print(1)", "pyproject.toml": settings}))
    with pytest.raises(ConfigurationError, match="can't be called 'shop'"):
        check_program(app, "shop")


def test_an_app_whose_start_only_dependencies_know_has_files_all_the_same(
    make_project: MakeProject, workspace: Workspace
) -> None:
    """As where it's compiled in its place, and nothing is installed."""
    files = {"requirements.txt": "x\n", "app/__init__.py": "", "app/main.py": "import fw\napp = fw.App()\n"}
    found = app_tree(load(make_project(files)), workspace).code.tree.entries
    assert {"/app/app/__init__.py", "/app/app/main.py"} == set(found)
