"""What an import would find, told from paths alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cannery.image.tree import LazyTree, Tree
from cannery.imports.places import find_modules, known_modules, module_name
from tests.support.places import place_of

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.py", "a"), ("a/__init__.py", "a"), ("a/b.pyc", "a.b"), ("a/b.cpython-311-x86_64-linux-gnu.so", "a.b"),
        ("a/b.abi3.so", "a.b"), ("a/0001_initial.py", "a.0001_initial"), ("_sysconfigdata__linux_x86-64.py",
        "_sysconfigdata__linux_x86-64"), ("a-b.py", None), ("2nd.py", None), ("a/b.c.py", None), ("__init__.py", None),
        ("a/data.json", None), ("a-b/c.py", None),
    ],
)  # fmt: skip
def test_a_path_is_that_of_a_module_or_of_none(path: str, name: str | None) -> None:
    assert module_name(path) == name


def kinds(*places: tuple[str, list[str]]) -> dict[str, tuple[str, str]]:
    made = [place_of("dependencies", root, dict.fromkeys(files, "")) for root, files in places]
    return {name: (module.kind, module.path) for name, module in find_modules(made).items()}


def test_an_extension_module_comes_before_a_source_and_a_package_before_both() -> None:
    assert kinds(("/s", ["a.py", "a.abi3.so", "a.pyc"])) == {"a": ("extension", "/s/a.abi3.so")}
    assert kinds(("/s", ["a.abi3.so", "a/__init__.py"])) == {"a": ("source", "/s/a/__init__.py")}
    assert kinds(("/s", ["a.pyc"])) == {"a": ("bytecode", "/s/a.pyc")}


def test_a_shared_library_is_a_module_where_it_has_a_module_s_function_and_may_have_any_name() -> None:
    files = {"a.so": "\0PyInit_a\0", "liba.so": "", "0f__mypyc.cpython-311-x86_64-linux-gnu.so": "", "2nd.py": ""}
    assert set(find_modules([place_of("dependencies", "/s", files)])) == {"a", "0f__mypyc"}


def test_the_first_folder_that_has_a_top_level_module_has_all_of_it() -> None:
    assert kinds(("/one", ["a/__init__.py"]), ("/two", ["a/__init__.py", "a/b.py", "c.py"])) == {
        "a": ("source", "/one/a/__init__.py"), "c": ("source", "/two/c.py"),
    }  # fmt: skip


def test_a_namespace_package_has_its_parts_in_all_folders() -> None:
    found = kinds(("/one", ["a/b.py"]), ("/two", ["a/c.py", "a/b.py"]))
    assert found == {"a": ("namespace", "/one/a"), "a.b": ("source", "/one/a/b.py"), "a.c": ("source", "/two/a/c.py")}


def test_a_package_hides_a_namespace_of_its_name_and_a_module_hides_a_folder() -> None:
    assert kinds(("/one", ["a/b.py"]), ("/two", ["a/__init__.py"]))["a"] == ("namespace", "/one/a")
    assert kinds(("/one", ["a.py", "a/b.py"]))["a"] == ("source", "/one/a.py")


def test_what_dependencies_have_is_remembered_by_their_key(workspace: Workspace) -> None:
    place = place_of("dependencies", "/s", {"a/__init__.py": "", "a/b.py": "", "c/d.py": ""})
    found = known_modules([place], workspace)

    def made() -> Tree:
        pytest.fail("the tree was made")

    assert found == find_modules([place])
    assert known_modules([replace(place, tree=LazyTree(place.tree.key, made))], workspace) == found
    other = place_of("dependencies", "/s", {"e.py": ""})
    assert set(known_modules([replace(other, tree=LazyTree("other", lambda: other.tree.tree))], workspace)) == {"e"}
