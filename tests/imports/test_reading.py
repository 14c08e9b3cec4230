"""Each module is read once, by what it is and by what lies beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Symlink, Tree
from cannery.imports.model import Host, Module
from cannery.imports.places import Place, find_modules
from cannery.imports.reading import MentionIndex
from tests.support.places import place_of

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

HOST = Host((3, 11, 7), frozenset())


def index_of(place: Place, workspace: Workspace) -> MentionIndex:
    return MentionIndex([place], find_modules([place]), HOST, workspace)


def imported(files: dict[str, str], name: str, workspace: Workspace) -> set[str]:
    place = place_of("dependencies", "/site", files)
    mentions = index_of(place, workspace).of(name, find_modules([place])[name])
    return {each.module for each in mentions.imports} | mentions.binary


def test_a_source_is_read_as_such_and_a_main_module_as_the_program(workspace: Workspace) -> None:
    files = {"a/__init__.py": "", "a/__main__.py": "if __name__ == '__main__':\n import b", "c.py": "import d"}
    assert imported(files, "a.__main__", workspace) == {"b"}
    assert imported(files, "c", workspace) == {"d"}


def test_the_stub_of_a_module_that_reads_it_counts_too(workspace: Workspace) -> None:
    files = {"a.py": "import lazy_loader\nlazy_loader.attach_stub(__name__, __file__)", "a.pyi": "import b"}
    assert imported(files, "a", workspace) == {"lazy_loader", "b"}
    assert imported({"a.py": "", "a.pyi": "import b"}, "a", workspace) == set()


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        ({"a.py": "import b"}, {"b"}),
        ({"a.pyx": "cimport c\nimport d\ninclude 'e.pxi'", "e.pxi": "from f import g"}, {"d", "f"}),
        ({"a.py": "import b", "0f__mypyc.abi3.so": ""}, {"b", "0f__mypyc"}),
        ({"other.py": "import b"}, {"decimal"}),
    ],
    ids=["a source", "sources of Cython", "a source that cannot name all", "nothing"],
)
def test_an_extension_module_is_known_by_what_lies_beside_it(
    beside: dict[str, str], found: set[str], workspace: Workspace
) -> None:
    assert imported({"a.abi3.so": "\0decimal\0000f__mypyc\0", **beside}, "a", workspace) == found


def test_an_extension_module_needs_nothing_of_the_source_beside_it_and_says_more_of_its_own_package(
    workspace: Workspace,
) -> None:
    files = {"a/__init__.py": "", "a/b.abi3.so": "\0a.c\0", "a/b.py": "import cython\nraise ImportError"}
    place = place_of("dependencies", "/site", files)
    mentions = index_of(place, workspace).of("a.b", find_modules([place])["a.b"])
    assert mentions.dotted == {"a.c"}
    assert [(each.module, each.needed) for each in mentions.imports] == [("cython", False)]
    assert not mentions.refuses


def test_python_s_own_extension_modules_are_known_by_a_table_alone(workspace: Workspace) -> None:
    place = place_of("stdlib", "/lib", {"_a.so": "\0decimal\0"})
    assert not index_of(place, workspace).of("_a", Module("extension", "stdlib", "/lib/_a.so")).binary


def test_links_are_followed_within_the_tree(workspace: Workspace) -> None:
    tree = Tree(
        {"/site/a.py": Symlink("../real/b.py"), "/real/b.py": File(Inline(b"import c")), "/site/d.py": Symlink("x")}
    )
    index = index_of(Place("dependencies", LazyTree("links", lambda: tree), ("/site",)), workspace)
    assert [each.module for each in index.of("a", Module("source", "dependencies", "/site/a.py")).imports] == ["c"]
    assert not index.of("d", Module("source", "dependencies", "/site/d.py")).imports


def test_what_was_read_is_remembered_for_the_same_tree_and_python(workspace: Workspace) -> None:
    def make() -> Tree:
        return Tree({"/site/a.py": File(Inline(b"import b"))})

    module = Module("source", "dependencies", "/site/a.py")
    first = index_of(Place("dependencies", LazyTree("same", make), ("/site",)), workspace)
    mentions = first.of("a", module)
    first.save()
    empty = Place("dependencies", LazyTree("same", lambda: Tree({"/site/a.py": File(Inline(b""))})), ("/site",))
    assert index_of(empty, workspace).of("a", module) == mentions
    newer = MentionIndex([empty], {}, Host((3, 12, 0), frozenset()), workspace)
    assert not newer.of("a", module).imports
