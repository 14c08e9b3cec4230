"""The session ``tests_compiled``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.nox_projects import CLASSIFIED, THIS, nox, says

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow

NOXFILE = """\
from cannery.sessions import tests, tests_compiled

__all__ = ["tests", "tests_compiled"]
"""
CHECKS = """
from pathlib import Path

import pytest
import tinned
from tests.help import NUMBER
from tinned import deep

def test_it_is_compiled() -> None:
    assert deep.number(1) == NUMBER
    assert tinned.__file__.endswith(".so")
    assert deep.__file__.endswith(".so")

def test_its_data_came_along() -> None:
    assert Path(deep.__file__).with_name("data.txt").read_text() == "data"

@pytest.mark.needs_source
def test_that_reads_the_source() -> None:
    assert Path("src/tinned/deep.py").is_file()
"""
PROJECT = {
    "noxfile.py": NOXFILE,
    "tests/__init__.py": "",
    "tests/help.py": "NUMBER = 2\n",
    "tests/tinned/__init__.py": "",  # as in the package, and not the package
    "tests/test_it.py": CHECKS,
    "src/tinned/__init__.py": "",
    "src/tinned/deep.py": "def number(it: int) -> int:\n    return it + 1\n",
    "src/tinned/data.txt": "data",
}
PYPROJECT = (
    CLASSIFIED
    + """
    [tool.pytest.ini_options]
    addopts = ["--cov=tinned", "--strict-markers"]
    filterwarnings = ["error"]
    markers = ["needs_source: reads its own source"]
    pythonpath = ["src"]
"""
)
BUILD_SYSTEM = """
    [project.optional-dependencies]
    test = ["iniconfig"]
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"
"""


@pytest.mark.parametrize("more", ["", BUILD_SYSTEM], ids=["a folder of code", "a package"])
def test_the_suite_runs_against_extension_modules_and_no_source(make_project: MakeProject, more: str) -> None:
    folder = make_project({**PROJECT, "pyproject.toml": PYPROJECT + more})
    before = {path for path in folder.rglob("*") if path.is_file()}
    code, text = nox(folder, "-s", "tests_compiled")
    assert code == 0, text
    assert f"> {'building the wheel' if more else 'compiling 2 modules with Cython'} …" in text
    assert says(text, "2 passed, 1 deselected", f"Session tests_compiled-{THIS} was successful")
    left = {path for path in folder.rglob("*") if path.is_file()} - before
    assert not [path for path in left if ".nox" not in path.parts and "__pycache__" not in path.parts]


@pytest.mark.once
def test_a_failing_test_fails_the_session_and_what_follows_the_dashes_goes_to_pytest(make_project: MakeProject) -> None:
    failing = "import main\n\ndef test_one():\n    assert main.__file__.endswith('x')\n\ndef test_two(): ...\n"
    files = {"noxfile.py": NOXFILE, "main.py": "", "pyproject.toml": CLASSIFIED}
    folder = make_project({**files, "tests/__init__.py": "", "tests/test_it.py": failing})
    code, text = nox(folder, "-s", "tests_compiled", "--", "-k", "test_one")
    assert code == 1
    assert "1 failed, 1 deselected" in text
    assert "main.pyc" in text


@pytest.mark.once
def test_it_runs_only_when_asked_for(make_project: MakeProject) -> None:
    _, text = nox(make_project({"noxfile.py": NOXFILE, "pyproject.toml": CLASSIFIED}), "--list")
    assert says(text, f"* tests-{THIS} ->", f"- tests_compiled-{THIS} -> Run the tests against the project's compiled")


@pytest.mark.once
def test_what_cannot_be_compiled_is_said_without_a_traceback(make_project: MakeProject) -> None:
    refused = "async def f():\n    yield from []\nprint(f)\n"
    folder = make_project({"noxfile.py": NOXFILE, "main.py": refused, "pyproject.toml": CLASSIFIED})
    code, text = nox(folder, "-s", "tests_compiled")
    assert code == 1
    assert says(text, "main.py:2: ", "exclude = [")
    assert "Traceback" not in text
