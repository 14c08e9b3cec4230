"""The standard library, less what a program in a container has no use for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from cannery.errors import ConfigurationError
from cannery.image.platform import Platform
from cannery.image.tree import File, Symlink
from cannery.python.interpreter import Interpreter, describe
from cannery.python.stdlib import (
    BRINGS_BACK,
    BRINGS_BACK_FOR_THE_APP,
    interpreter_tree,
    known_modules,
    python_path,
    unwanted_by,
)
from tests.support.tree_contents import read

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

FILES = [
    "os.py", "turtle.py", "tkinter/__init__.py", "curses/__init__.py", "json/__init__.py", "json/tests/test.py",
    "json/__pycache__/decoder.pyc", "test/support.py", "site-packages/other.py", "sitecustomize.py",
    "config-3.11-x86/Makefile", "lib-dynload/_curses.so", "lib-dynload/_json.so", "lib-dynload/_testcapi.so",
    "ensurepip/_bundled/pip.whl",
]  # fmt: skip


@pytest.fixture
def python(make_project: MakeProject) -> Interpreter:
    """An interpreter with a standard library of a few files."""
    folder = make_project({f"lib/python3.11/{name}": "" for name in FILES} | {"bin/python3.11": ""})
    data = f"settings = {{'prefix': '{folder}', 'other': '{folder}-2'}}\n"
    (folder / "lib/python3.11/_sysconfigdata__linux.py").write_text(data)
    stdlib = folder / "lib/python3.11"
    return Interpreter(
        executable=folder / "bin/python3.11", version=(3, 11, 7), prefix=folder, stdlib=stdlib,
        dynload=stdlib / "lib-dynload", image_stdlib="/usr/local/lib/python3.11", cache_tag="cpython-311", magic="",
        image_site_packages="/usr/local/lib/python3.11/site-packages", platform=Platform("linux", "amd64"),
        fingerprint="",
    )  # fmt: skip


def names(python: Interpreter, *wanted: str) -> set[str]:
    tree = interpreter_tree(python, frozenset(wanted))
    below = f"{python.image_stdlib}/"
    return {path.removeprefix(below) for path, _ in tree.files() if path.startswith(below)}


ALWAYS = {"os.py", "json/__init__.py", "lib-dynload/_json.so", "_sysconfigdata__linux.py"}


def test_what_no_program_needs_stays_behind(python: Interpreter) -> None:
    assert names(python) == ALWAYS


@pytest.mark.parametrize(
    ("wanted", "back"),
    [
        ("turtle", {"turtle.py", "tkinter/__init__.py"}), ("curses", {"curses/__init__.py", "lib-dynload/_curses.so"}),
        ("test", {"test/support.py"}), ("json", set()), ("venv", {"ensurepip/_bundled/pip.whl"}),
    ],
)  # fmt: skip
def test_an_import_brings_its_modules_back(wanted: str, back: set[str], python: Interpreter) -> None:
    assert names(python, wanted) == ALWAYS | back


def test_extension_modules_that_lie_elsewhere_go_into_one_folder_with_the_rest(
    python: Interpreter, make_project: MakeProject
) -> None:
    found = names(replace(python, dynload=make_project({"_lzma.so": "", "_testbuffer.so": ""}, "dynload")))
    assert "lib-dynload/_lzma.so" in found
    assert "lib-dynload/_testbuffer.so" not in found


def test_the_folder_that_python_was_installed_in_is_not_told(python: Interpreter) -> None:
    tree = interpreter_tree(python, frozenset())
    file = dict(tree.files())[f"{python.image_stdlib}/_sysconfigdata__linux.py"]
    assert read(file).decode() == f"settings = {{'prefix': '/usr/local', 'other': '{python.prefix}-2'}}\n"


def test_the_interpreter_lies_where_it_looks_for_its_library_from(python: Interpreter) -> None:
    tree = interpreter_tree(python, frozenset())
    assert tree.entries["/usr/local/bin/python3"] == Symlink("python3.11")
    assert python_path(python) == "/usr/local/bin/python3.11"
    assert python_path(python) in tree


def test_the_configuration_may_name_any_module_of_the_library() -> None:
    assert known_modules(("tkinter", "json")) == {"tkinter", "json"}
    with pytest.raises(ConfigurationError, match="no module of the standard library") as raised:
        known_modules(("tkintr",))
    assert raised.value.evidence == "did you mean 'tkinter'?"


def test_what_an_app_has_no_use_for_is_told_by_its_imports() -> None:
    assert {"tkinter", "turtle"} <= set(unwanted_by(frozenset()))
    assert not {"tkinter", "_tkinter"} & set(unwanted_by(frozenset({"turtle"})))


def test_all_that_brings_something_back_is_a_module_of_the_oldest_python() -> None:
    assert set(BRINGS_BACK) < set(BRINGS_BACK_FOR_THE_APP) <= sys.stdlib_module_names | {"test"}


def test_libraries_are_found_with_no_other_program_s_help(workspace: Workspace, tmp_path: Path) -> None:
    python = describe(Path(sys.executable), workspace)
    file = interpreter_tree(python, frozenset()).entries[f"{python.image_stdlib}/ctypes/util.py"]
    assert isinstance(file, File)
    (tmp_path / "util.py").write_bytes(read(file))
    (tmp_path / "libanswer.so.42").touch()
    command = [sys.executable, "-c", "import util; print(util.find_library('answer'), util.find_library('question'))"]
    environment = {"PATH": "", "LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "libanswer.so.42 None\n"
