"""What is known of a bundle after it was made."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.executable.onefile.bundle import bundle
from cannery.executable.onefile.stage import BundleParts
from cannery.executable.onefile.tools import find_tools
from cannery.image.content import Inline, OnDisk, digest_of
from cannery.image.tree import Decision, File, LazyTree, Transform, Tree
from cannery.project.app import Command, ScriptEntry
from cannery.python.interpreter import describe
from tests.support.elf_files import compile_c

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once


@pytest.mark.slow
def test_decisions_are_told_by_a_later_build_that_makes_nothing(workspace: Workspace) -> None:
    nothing = LazyTree("nothing", Tree)
    code = LazyTree("code", lambda: Tree({"/app/main.py": File(Inline(b"print('hello')\n"))}))
    main = Command("", ScriptEntry(PurePosixPath("main.py")))
    parts = BundleParts("hello", main, (), (PurePosixPath(),), code, nothing, nothing)
    tried: list[str] = []

    def leave_one(tree: Tree) -> Tree:
        tried.append(min(tree.entries))
        return Tree(tree.entries, (Decision(min(tree.entries), "strip", "it is damaged", 7),))

    finish = Transform("finish", leave_one)
    python = describe(Path(sys.executable), workspace)
    first, second = (bundle(parts, finish, python, find_tools(static=False), workspace) for _ in range(2))
    assert len(tried) == 1
    assert first.tree.tree.decisions == (Decision(tried[0], "strip", "it is damaged", 7),)
    assert second.tree.tree == first.tree.tree
    contents = {path: digest_of(file.content) for path, file in first.tree.tree.files()}
    altered = next(path for path, _ in first.tree.tree.files() if path.endswith("base_library.zip"))
    file = first.tree.tree.entries[altered]
    assert isinstance(file, File)
    assert isinstance(file.content, OnDisk)
    with file.content.path.open("r+b") as stream:
        stream.write(b"X")
    third = bundle(parts, finish, python, find_tools(static=False), workspace)
    assert {path: digest_of(file.content) for path, file in third.tree.tree.files()} == contents


@pytest.mark.slow
def test_letters_are_the_same_in_bytecode_whatever_pyinstaller_has_imported(workspace: Workspace) -> None:
    """A text of one letter is there once in a process: whether it's interned depends on who has had it before."""
    nothing = LazyTree("nothing", Tree)
    code = LazyTree("letters", lambda: Tree({"/app/main.py": File(Inline(b"print('[', ']')\n"))}))
    main = Command("", ScriptEntry(PurePosixPath("main.py")))
    parts = BundleParts("letters", main, (), (PurePosixPath(),), code, nothing, nothing)
    python = describe(Path(sys.executable), workspace)
    made = bundle(parts, Transform("kept", lambda tree: tree), python, find_tools(static=False), workspace)
    program = made.tree.tree.entries["/letters"]
    assert isinstance(program, File)
    with program.content.open() as stream:
        data = stream.read()
    assert b"\xda\x01[" in data
    assert b"\xfa\x01[" not in data  # the same, not interned


@pytest.mark.slow
def test_data_of_an_environment_lies_in_the_bundle_as_in_the_environment(workspace: Workspace) -> None:
    python = describe(Path(sys.executable), workspace)
    files = {f"{python.image_site_packages}/tin.py": b"x = 1\n", "/usr/local/share/tin/a.txt": b"a"}
    wheels = LazyTree("wheels", lambda: Tree({path: File(Inline(data)) for path, data in files.items()}))
    code = LazyTree("main", lambda: Tree({"/app/main.py": File(Inline(b"import tin\n"))}))
    main = Command("", ScriptEntry(PurePosixPath("main.py")))
    parts = BundleParts("hello", main, (), (PurePosixPath(),), code, LazyTree("nothing", Tree), wheels)
    unchanged = Transform("unchanged", lambda tree: tree)
    made = bundle(parts, unchanged, python, find_tools(static=False), workspace)
    assert [path for path in made.tree.tree.entries if path.endswith("share/tin/a.txt")] == [
        "/_internal/share/tin/a.txt"
    ]


@pytest.mark.slow
def test_libraries_beside_a_package_go_with_the_extension_modules_that_are_linked_to_them(
    workspace: Workspace, tmp_path: Path
) -> None:
    """As auditwheel repairs wheels (numpy has numpy.libs): a module stays out, and what only it is linked to."""
    site, suffix = tmp_path / "site", sysconfig.get_config_var("EXT_SUFFIX")
    links = ["-shared", "-fPIC", "-I", sysconfig.get_path("include"), "-Wl,-rpath,$ORIGIN/../tin.libs"]
    for name in ("used", "unused"):
        library, named = site / f"tin.libs/lib{name}.so", f"-Wl,-soname,lib{name}.so"
        compile_c(f"int {name}_twice(int x) {{ return 2 * x; }}", library, "-shared", "-fPIC", named)
        module = f"""
            #include <Python.h>
            int {name}_twice(int);
            static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "{name}", NULL, -1, NULL}};
            PyMODINIT_FUNC PyInit_{name}(void) {{ {name}_twice(1); return PyModule_Create(&module); }}
        """
        compile_c(module, site / f"tin/{name}{suffix}", *links, str(library))
    (site / "tin/__init__.py").touch()
    python = describe(Path(sys.executable), workspace)
    files = {
        f"{python.image_site_packages}/{path.relative_to(site).as_posix()}": File(OnDisk(path, path.stat().st_size))
        for path in site.rglob("*.*")
        if path.is_file()
    }
    code = LazyTree("linked", lambda: Tree({"/app/main.py": File(Inline(b"import tin.used\n"))}))
    main = Command("", ScriptEntry(PurePosixPath("main.py")))
    parts = BundleParts(
        *("linked", main, (), (PurePosixPath(),), code, LazyTree("nothing", Tree)),
        LazyTree("linked wheels", lambda: Tree(files)),
        reached=("tin", "tin.used"),
        left_out=("tin.unused",),
    )
    unchanged = Transform("unchanged", lambda tree: tree)
    made = bundle(parts, unchanged, python, find_tools(static=False), workspace)
    names = {path.rpartition("/")[2].partition(".")[0] for path in made.tree.tree.entries}
    assert names >= {"used", "libused"}
    assert names.isdisjoint({"unused", "libunused"})
