"""The scripts of a bundled program do what they're told at their end."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from cannery.executable.onefile.scripts import children_script, left_out_script, starting_script
from cannery.project.app import FunctionEntry, ModuleEntry, ScriptEntry
from cannery.workspace.keys import package_file

PAYLOAD = package_file("executable/onefile/payload")


def ran(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("script", "module"),
    [
        (children_script(ScriptEntry(PurePosixPath("tools/main.py"))), "children.py"),
        (left_out_script({"b", "a"}, ["c"]), "left_out.py"),
    ],
    ids=["children", "left out"],
)
def test_a_script_is_its_module_and_one_call_of_what_that_has(script: str, module: str) -> None:
    source = (PAYLOAD / module).read_text()
    assert script.startswith(source)
    *before, last = ast.parse(script).body
    assert [ast.dump(node) for node in before] == [ast.dump(node) for node in ast.parse(source).body]
    assert isinstance(last, ast.Expr)
    assert isinstance(last.value, ast.Call)
    used = {node.id for node in ast.walk(last) if isinstance(node, ast.Name)}
    defined = {name for node in before for name in _names(node)}
    assert used - {"frozenset"} <= defined


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=names):
            return [each.name for each in names]
    return []


@pytest.mark.parametrize(
    ("path", "name"),
    [("tools/main.py", "main"), ("2nd.py", ""), ("my-tool.py", "")],
    ids=["a name", "a digit", "a dash"],
)
def test_the_app_s_script_is_named_where_it_can_be_imported(path: str, name: str) -> None:
    assert children_script(ScriptEntry(PurePosixPath(path))).endswith(f"\n\nbecome_child({name!r})\n")


@pytest.mark.parametrize("entry", [ModuleEntry("package"), FunctionEntry("tool", "package", "main")])
def test_a_script_of_cannery_s_own_is_never_imported(entry: ModuleEntry | FunctionEntry) -> None:
    assert children_script(entry).endswith("\n\nbecome_child('')\n")


def test_a_first_start_of_the_app_goes_on() -> None:
    done = ran(f"{children_script(ModuleEntry('package'))}print('the app')", "--option")
    assert (done.stdout, done.stderr) == ("the app\n", "")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("known", 'include = ["known"]'),
        ("out", "[tool.cannery.onefile] without names it"), ("other", "No module named 'other'\n"),
    ],
)  # fmt: skip
def test_a_module_that_is_not_there_is_told_from_one_that_was_left_out(name: str, message: str) -> None:
    said = ran(f"{left_out_script({'known', 'out'}, ['out'])}import {name}").stderr
    assert message in said


@pytest.mark.parametrize("entry", [ModuleEntry("json.tool"), FunctionEntry("tool", "json.tool", "main")])
def test_a_module_or_a_function_is_started(entry: ModuleEntry | FunctionEntry) -> None:
    assert ran(starting_script(entry), "--help").stdout.startswith("usage:")
