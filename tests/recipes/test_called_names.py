"""What code calls in the program itself has to be linked into a static executable: which names that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.imports.analysis import reach
from cannery.imports.model import Host
from cannery.recipes.static_program.called import called_names
from tests.support.places import place_of

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

HOST = Host((3, 11, 2), frozenset({"sys"}))


def called(main: str, workspace: Workspace) -> frozenset[str]:
    places = [place_of("app", "/app", {"main.py": f"import sys\n{main}"})]
    found = reach(places, [], HOST, workspace, script="/app/main.py")
    return called_names(places, found, workspace)


@pytest.mark.parametrize(
    "main",
    [
        "# ctypes\nlibrary = CDLL(None)\nlibrary.getppid()",
        "# ctypes\npythonapi.getppid()",
        "# ctypes\ngetattr(cdll.LoadLibrary('libc.so.6'), 'getppid')()",
        "# cffi\nffi.cdef('int getppid(void);')\nffi.dlopen(None).getppid()",
        "# cffi\nffi.cdef('unsigned long strlen(const char *); int getppid (void);')\nC = ffi.dlopen('libc.so.6')",
    ],
)
def test_names_that_are_called(main: str, workspace: Workspace) -> None:
    assert "getppid" in called(main, workspace)


@pytest.mark.parametrize(
    "main",
    ["# ctypes\nlibrary = CDLL(path)\nlibrary.getppid()", "library = dlopen(None)\nlibrary.getppid()", "os.getppid()"],
)
def test_nothing_where_the_program_itself_is_not_opened(main: str, workspace: Workspace) -> None:
    assert called(main, workspace) == frozenset()
