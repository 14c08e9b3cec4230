"""What a tree needs of the runtime: read once, as reading makes the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.trees.needs import Needs, libraries_opened, read_needs

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace


def test_needs_are_remembered_under_the_tree_s_key(workspace: Workspace) -> None:
    def never() -> Tree:
        raise AssertionError

    tree = Tree({"/x.py": File(Inline(b"from zoneinfo import ZoneInfo"))})
    first = read_needs(LazyTree("key", lambda: tree), workspace)
    assert read_needs(LazyTree("key", never), workspace) == first == Needs(modules=frozenset({"zoneinfo"}))


def test_a_dependency_s_imports_and_commands_bring_back_what_images_leave_out(workspace: Workspace) -> None:
    source = b"def f():\n    import lib2to3.pgen2\n    run([sys.executable, '-m', 'venv', folder])\n"
    tree = Tree({"/x.py": File(Inline(source))})
    assert read_needs(LazyTree("commands", lambda: tree), workspace).modules == {"lib2to3", "venv"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (b"ctypes.CDLL('libz.so.1')", {"libz.so.1"}),
        (b"NAME = 'libmagic.so.1'\nlibrary = cdll.LoadLibrary(NAME)", {"libmagic.so.1"}),
        (b"path = ctypes.util.find_library('z')", {"z"}),
        (b"ffi.dlopen(find_library(\n    'gobject-2.0'))", {"gobject-2.0"}),
        (b"NAME = 'libz.so.1'", set()),
        (b"find_library(name) or CDLL(f'lib{name}.so')", set()),
    ],
)
def test_the_shared_libraries_that_a_source_opens_by_name_are_known(source: bytes, names: set[str]) -> None:
    assert {*libraries_opened(source)} == names


def test_a_library_that_the_tree_has_is_not_looked_for_elsewhere(workspace: Workspace) -> None:
    files = {"/x.py": b"CDLL(here + 'libown.so')\nCDLL('libown.so')\nfind_library('z')", "/libown.so": b""}
    tree = Tree({path: File(Inline(content)) for path, content in files.items()})
    assert read_needs(LazyTree("own", lambda: tree), workspace).opened == {"z"}
