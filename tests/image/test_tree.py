"""Trees merge, filter and name their parents; they never change."""

from __future__ import annotations

import pytest

from cannery.errors import ImageError
from cannery.image.content import Inline
from cannery.image.tree import Decision, Directory, Entry, File, LazyTree, Symlink, Transform, Tree

FILE = File(Inline(b"x"))


def test_merging_takes_the_right_one_s_entry() -> None:
    other = File(Inline(b"y"))
    merged = Tree({"/a": FILE, "/b": FILE}) + Tree({"/b": other})
    assert dict(merged) == {"/a": FILE, "/b": other}


def test_entries_come_in_the_order_of_their_paths_bytes() -> None:
    tree = Tree({"/b": FILE, "/a/x": FILE, "/a-b": FILE, "/ä": FILE})
    assert [path for path, _ in tree] == ["/a-b", "/a/x", "/b", "/ä"]


@pytest.mark.parametrize("path", ["relative", "/", "/a/../b", "/a/", "//a"])
def test_a_path_that_is_not_absolute_and_normal_is_refused(path: str) -> None:
    with pytest.raises(ImageError, match="not a path of an image"):
        Tree({path: FILE})


def test_parents_are_named_with_their_own_modes() -> None:
    tree = Tree({"/tmp": Directory(0o1777), "/tmp/x/y": FILE}).with_parents()
    assert tree.entries["/tmp"] == Directory(0o1777)
    assert tree.entries["/tmp/x"] == Directory()


@pytest.mark.parametrize("parent", [FILE, Symlink("usr/lib")])
def test_nothing_lies_below_a_file_or_a_link(parent: Entry) -> None:
    with pytest.raises(ImageError, match="/lib/x lies below /lib"):
        Tree({"/lib": parent, "/lib/x": FILE}).with_parents()


def test_a_tree_can_t_be_changed() -> None:
    entries: dict[str, Entry] = {"/a": FILE}
    tree = Tree(entries)
    entries["/b"] = FILE
    assert "/b" not in tree
    with pytest.raises(TypeError):
        tree.entries["/c"] = FILE  # type: ignore[index]


def test_a_lazy_tree_is_made_once_and_only_when_asked_for() -> None:
    made: list[str] = []

    def make() -> Tree:
        made.append("made")
        return Tree({"/a": FILE})

    lazy = LazyTree("key", make) | Transform("double", lambda tree: tree + Tree({"/b": FILE}))
    assert not made
    assert list(lazy.tree.entries) == list(lazy.tree.entries) == ["/a", "/b"]
    assert made == ["made"]


def test_lazy_trees_made_of_the_same_have_the_same_key() -> None:
    def make() -> Tree:
        return Tree()

    one, other = Transform("one", lambda tree: tree), Transform("other", lambda tree: tree)
    assert (LazyTree("a", make) | one).key == (LazyTree("a", make) | one).key
    assert (LazyTree("a", make) | one).key != (LazyTree("a", make) | other).key
    assert (LazyTree("a", make) + LazyTree("b", make)).key != (LazyTree("b", make) + LazyTree("a", make)).key


KEPT = Decision("/a", "strip", "its section headers are damaged", 10)


def test_decisions_go_with_the_files_that_they_are_about() -> None:
    tree = Tree({"/a": FILE, "/b": FILE}, (KEPT,))
    assert (tree + Tree({"/c": FILE})).decisions == (KEPT,)
    assert (tree + Tree({"/a": FILE})).decisions == ()
    assert tree.filter(lambda path, _: path == "/b").decisions == ()
    assert tree.with_parents().decisions == (KEPT,)


def test_each_file_is_changed_and_what_was_not_is_told() -> None:
    empty, link = File(Inline(b""), 0o755), Symlink("a")
    tree = Tree({"/a": FILE, "/b": FILE, "/link": link}, (KEPT,))
    later = Decision("/b", "compact", "it has no dynamic section", 20)
    changed = tree.map(lambda path, file: (file, [later]) if path == "/b" else (empty, []))
    assert dict(changed.entries) == {"/a": empty, "/b": FILE, "/link": link}
    assert changed.decisions == (KEPT, later)


def test_a_transform_need_not_hand_on_earlier_decisions() -> None:
    later = Decision("/b", "compact", "it has no dynamic section", 20)
    tree = Tree({"/a": FILE, "/b": FILE}, (KEPT,))
    assert Transform("k", lambda tree: Tree(tree.entries, (later,)))(tree).decisions == (KEPT, later)
    assert Transform("k", lambda tree: Tree(tree.entries, tree.decisions))(tree).decisions == (KEPT,)
