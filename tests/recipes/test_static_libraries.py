"""Shared libraries that code opens are refused in static executables where the program would fail, and else told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.imports.analysis import reach
from cannery.imports.model import Host
from cannery.recipes.static_program.libraries import check_libraries
from tests.support.places import place_of

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

HOST = Host((3, 11, 2), frozenset({"sys"}))
OPENS = "ctypes.CDLL(os.path.dirname(__file__) + '/libanswer.so')"


def notes(main: str, workspace: Workspace, wheel: str = "", allowed: tuple[str, ...] = ()) -> tuple[str, ...]:
    imports = "import a, ctypes, os, sys\n"
    places = [place_of("app", "/app", {"main.py": imports + main}), place_of("dependencies", "/site", {"a.py": wheel})]
    found = reach(places, [], HOST, workspace, script="/app/main.py")
    return check_libraries(places, found, HOST, workspace, allowed=allowed, script="/app/main.py")


@pytest.mark.parametrize(
    "main",
    [
        "ctypes.CDLL('libanswer.so')",
        "NAME = 'libanswer.so'\ndef f():\n  ctypes.cdll.LoadLibrary(NAME)",
        OPENS,
        f"def f():\n  {OPENS}",
        f"if __name__ == '__main__':\n  {OPENS}",
        f"with x:\n  y = {OPENS}.f",
    ],
)
def test_one_that_the_app_opens_is_refused_with_the_recipe_that_can(workspace: Workspace, main: str) -> None:
    with pytest.raises(ProjectError, match=r"main\.py:\d opens libanswer\.so by ctypes") as raised:
        notes(main, workspace)
    assert raised.value.step == (
        "take the recipe tiny or scratch; or, where the program goes on without, set  [tool.cannery]  "
        "allow-missing = ['libanswer.so']"
    )


def test_one_that_is_looked_for_is_told_by_its_name(workspace: Workspace) -> None:
    with pytest.raises(ProjectError, match=r"main\.py:2 opens libz\.so by ctypes"):
        notes("ctypes.CDLL(ctypes.util.find_library('z'))", workspace)


def test_one_that_a_dependency_opens_when_it_is_imported_is_refused(workspace: Workspace) -> None:
    with pytest.raises(ProjectError, match=r"/site/a\.py:1 opens a shared library by ctypes"):
        notes("", workspace, "LIBRARY = cdll.LoadLibrary(find())")


@pytest.mark.parametrize(
    "main",
    [
        f"try:\n  {OPENS}\nexcept OSError:\n  pass",
        f"with contextlib.suppress(OSError):\n  {OPENS}",
        f"if sys.platform == 'win32':\n  {OPENS}",
        "ctypes.CDLL(None)",
        "from ctypes.util import find_library\nctypes.CDLL(find_library('c'), use_errno=True)",
    ],
)
def test_one_that_the_program_does_without_is_no_matter(workspace: Workspace, main: str) -> None:
    assert notes(main, workspace) == ()


def test_one_that_is_opened_where_an_extension_module_is_not_there_is_told(workspace: Workspace) -> None:
    chooses = "try:\n import fast\nexcept ImportError:\n try:\n  import slow\n except ImportError:\n  pass"
    wheels = {"a.py": chooses, "slow.py": "import opens", "opens.py": f"import ctypes, os\n{OPENS}", "fast.abi3.so": ""}
    places = [place_of("app", "/app", {"main.py": "import a"}), place_of("dependencies", "/site", wheels)]

    def told() -> tuple[str, ...]:
        found = reach(places, [], HOST, workspace, script="/app/main.py")
        return check_libraries(places, found, HOST, workspace, script="/app/main.py")

    assert told()[0].startswith("/site/opens.py:2: opens a shared library by ctypes")
    places[1] = place_of("dependencies", "/site", {**wheels, "fast.abi3.so": "", "a.py": "import slow"})
    with pytest.raises(ProjectError, match=r"/site/opens\.py:2 opens"):
        told()


@pytest.mark.parametrize(
    "wheel",
    ["def f():\n  import osx", "def f(name):\n  __import__('osx' if name else name)"],
    ids=["in a function", "by a name"],
)
def test_one_in_a_module_that_only_functions_of_a_dependency_import_is_told(workspace: Workspace, wheel: str) -> None:
    wheels = {"a.py": f"import sys\n{wheel}", "osx.py": f"import ctypes, os\n{OPENS}"}
    places = [place_of("app", "/app", {"main.py": "import a"}), place_of("dependencies", "/site", wheels)]

    def told() -> tuple[str, ...]:
        found = reach(places, [], HOST, workspace, script="/app/main.py")
        return check_libraries(places, found, HOST, workspace, script="/app/main.py")

    assert told()[0].startswith("/site/osx.py:2: opens a shared library by ctypes")
    places[0] = place_of("app", "/app", {"main.py": "def f():\n  import osx"})
    with pytest.raises(ProjectError, match=r"/site/osx\.py:2 opens"):
        told()


def test_one_that_the_c_library_stands_for_is_no_matter(workspace: Workspace) -> None:
    assert notes("ctypes.CDLL('libc.so.6').getpid()", workspace) == ()


def test_one_that_is_allowed_to_be_missing_is_no_matter(workspace: Workspace) -> None:
    assert notes(OPENS, workspace, allowed=("libanswer.so",)) == ()


@pytest.mark.parametrize(("main", "wheel"), [("def f(n):\n  ctypes.CDLL(n)", ""), ("", f"def f():\n  {OPENS}")])
def test_one_that_may_never_be_opened_is_told(workspace: Workspace, main: str, wheel: str) -> None:
    (note,) = notes(main, workspace, wheel)
    assert "opens a shared library by ctypes that isn't in the executable" in note
