"""What no import reaches is dropped, and what belongs to it; everything else stays."""

from __future__ import annotations

import pytest

from cannery.image.content import Inline
from cannery.image.tree import File, Tree
from cannery.trees.transforms.shake import module_in, shake

pytestmark = pytest.mark.once

SITE = "/usr/local/lib/python3.11/site-packages"
EXTENSION = b"\0PyInit_x\0"


def tree(*names: str, **contents: bytes) -> Tree:
    return Tree({f"{SITE}/{name}": File(Inline(contents.get(name.partition(".")[0], b""))) for name in names})


def shaken(names: Tree, *reached: str) -> set[str]:
    return {path.removeprefix(f"{SITE}/") for path, _ in names | shake(reached, (SITE,))}


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("a.py", "a"),
        ("a/__init__.py", "a"),
        ("a/b.cpython-311-x86_64-linux-gnu.so", "a.b"),
        ("a/b.abi3.so", "a.b"),
        ("a/data.txt", None),
        ("a-1.0.dist-info/METADATA", None),
    ],
)
def test_a_path_has_the_name_that_it_is_imported_by(path: str, module: str | None) -> None:
    assert module_in(f"{SITE}/{path}", ("/usr/local/lib/python3.11", SITE)) == module


def test_modules_that_nothing_reaches_go() -> None:
    assert shaken(tree("a.py", "b.py", "c/__init__.py", "c/d.py", "c/e.py"), "a", "c", "c.d") == {
        "a.py", "c/__init__.py", "c/d.py",
    }  # fmt: skip


def test_modules_in_a_folder_that_a_pth_file_names_are_known_by_their_own_names() -> None:
    files = tree("a.pth", "inner/b.py", "inner/c.py", a=b"inner\n")
    assert shaken(files, "b") == {"a.pth", "inner/b.py"}


def test_data_goes_along_with_its_package() -> None:
    files = tree(
        "a/__init__.py", "a/x.json", "a/deep/y.json", "a/tests/__init__.py", "a/tests/z.json", "b/__init__.py", "b/x"
    )
    assert shaken(files, "a") == {"a/__init__.py", "a/x.json", "a/deep/y.json"}


def test_what_no_program_reads_goes_and_metadata_stay() -> None:
    files = tree(
        "a/__init__.py", "a/__init__.pyi", "a/py.typed", "a/api.h", "a-1.dist-info/METADATA", "a-1.dist-info/sboms/a"
    )
    assert shaken(files, "a") == {"a/__init__.py", "a-1.dist-info/METADATA"}


def test_an_extension_module_goes_and_a_library_of_that_suffix_stays() -> None:
    files = tree("a/__init__.py", "a/fast.so", "a/other.so", "a/libtool.so")
    entries = {path: File(Inline(EXTENSION if "libtool" not in path else b"\x7fELF")) for path, _ in files}
    assert shaken(Tree({**files.entries, **entries}), "a", "a.fast") == {"a/__init__.py", "a/fast.so", "a/libtool.so"}


def test_the_same_names_make_the_same_transform_in_any_order() -> None:
    assert shake(["a", "b"], (SITE,)).key == shake(["b", "a"], (SITE,)).key
    assert shake(["a"], (SITE,)).key != shake(["b"], (SITE,)).key
