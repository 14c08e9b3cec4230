"""What a tree needs of the runtime: read once, as reading makes the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.trees.needs import Needs, read_needs

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
