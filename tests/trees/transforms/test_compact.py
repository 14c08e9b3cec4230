"""What a file of a tree may lose depends on the others: on who raises, and on who defines the same."""

from __future__ import annotations

import platform
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cannery.elf.constants import DT_RELASZ, DT_RELR
from cannery.elf.eh_frame import has_tables
from cannery.elf.rewrite import LoadedElf
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import Decision, File, LazyTree, Tree
from cannery.trees.transforms import compact as module
from cannery.trees.transforms.compact import Raisers, Surroundings, compact, raisers_in
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace
from tests.support.elf_files import WITH_POINTERS, compile_c, compile_cpp, read, stripped

if TYPE_CHECKING:
    from pathlib import Path

THROWS = """
#include <stdexcept>
extern "C" int caught(int x) {
    try { if (x) throw std::runtime_error("x"); } catch (std::exception &error) { return 40; }
    return 0;
}
"""
SHARED = ("-shared", "-fPIC", "-O1")
QUIET = Surroundings(packs=True, raisers=None)

pytestmark = pytest.mark.skipif(platform.libc_ver() < ("glibc", "2.36"), reason="this C library can't read DT_RELR")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(Cache(tmp_path / "cache"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A program, a library that it links to, another one, and one that raises."""
    folder = tmp_path_factory.mktemp("files")
    library = compile_c(WITH_POINTERS, folder / "libpointers.so", *SHARED)
    main = "int one(void); int main(void) { return one(); }"
    started = compile_c(main, folder / "started", f"-L{folder}", "-lpointers")
    other = compile_c("int other(int x) { return x; }", folder / "libother.so", *SHARED)
    throws = compile_cpp(THROWS, folder / "libthrows.so", *SHARED)
    return {path.name: stripped(path) for path in (library, started, other, throws)}


def tree_of(*names: str, of: dict[str, bytes]) -> Tree:
    return Tree({f"/lib/{name}": File(Inline(of[name]), 0o755) for name in names})


def with_tables(tree: Tree) -> list[str]:
    return [path[5:] for path, file in tree.files() if has_tables(LoadedElf.read(read(file.content)))]


@pytest.mark.slow
def test_who_raises_is_told_with_the_libraries_behind(files: dict[str, bytes], workspace: Workspace) -> None:
    trees = [LazyTree(name, partial(tree_of, name, of=files)) for name in files]
    assert raisers_in([trees[0], trees[2]], workspace) is None
    somebody = raisers_in(trees, workspace)
    assert somebody is not None
    assert somebody.first == "/lib/libthrows.so links to libstdc++.so.6"
    assert "libstdc++.so.6" in somebody.needed


def test_who_raises_is_remembered_with_the_reason(files: dict[str, bytes], workspace: Workspace) -> None:
    made = raisers_in([LazyTree("key", partial(tree_of, "libthrows.so", of=files))], workspace)

    def again() -> Tree:
        raise AssertionError("the tree is made again")

    assert raisers_in([LazyTree("key", again)], workspace) == made


def test_nobody_keeps_tables_where_nobody_raises(files: dict[str, bytes], workspace: Workspace) -> None:
    made = tree_of("started", "libpointers.so", "libother.so", of=files) | compact(QUIET, workspace)
    assert with_tables(made) == []
    assert made.decisions == ()


@pytest.mark.parametrize(
    ("needed", "kept"),
    [((), ["libpointers.so", "started"]), (("libother.so",), ["libother.so", "libpointers.so", "started"])],
)
def test_of_the_runtime_what_is_started_and_what_raisers_link_to_keeps_tables(
    files: dict[str, bytes], workspace: Workspace, needed: tuple[str, ...], kept: list[str]
) -> None:
    raisers = Raisers("/x.so links to libc++.so.1", needed)
    runtime = tree_of("started", "libpointers.so", "libother.so", of=files)
    made = runtime | compact(Surroundings(packs=True, raisers=raisers, program="/lib/started"), workspace)
    assert with_tables(made) == [each.path[5:] for each in made.decisions] == kept
    assert {(each.tried, each.why) for each in made.decisions} == {
        ("drop exception tables", "exceptions may go through it: /x.so links to libc++.so.1")
    }


def test_of_other_trees_all_keep_tables_where_somebody_raises(files: dict[str, bytes], workspace: Workspace) -> None:
    around = Surroundings(packs=True, raisers=Raisers("/x.so links to libc++.so.1", ()))
    assert with_tables(tree_of("libother.so", of=files) | compact(around, workspace)) == ["libother.so"]
    made = tree_of("libother.so", "libthrows.so", of=files) | compact(QUIET, workspace)
    assert with_tables(made) == ["libother.so", "libthrows.so"]
    assert made.decisions[0].why == "exceptions may go through it: /lib/libthrows.so links to libstdc++.so.6"


def test_the_unwinder_keeps_the_tables_that_it_looks_for(tmp_path: Path, workspace: Workspace) -> None:
    path = compile_c(WITH_POINTERS, tmp_path / "x.so", *SHARED, "-Wl,-soname,libgcc_s.so.1")
    tree = Tree({"/lib/libgcc_s.so.1": File(Inline(stripped(path)))})
    made = tree | compact(QUIET, workspace)
    assert with_tables(made) == ["libgcc_s.so.1"]
    assert made.decisions[0].why.startswith("it walks the stack")


def relocations(tree: Tree, path: str) -> int:
    return LoadedElf.read(read(dict(tree.files())[path].content)).tag(DT_RELASZ) or 0


def test_symbols_are_bound_where_one_file_of_those_started_defines_them(
    files: dict[str, bytes], tmp_path: Path, workspace: Workspace
) -> None:
    """Two of one name, or a file that can't be looked into, leave them to the loader."""
    started = Surroundings(packs=True, raisers=None, program="/lib/started")
    libc = compile_c("int of_libc;", tmp_path / "c.so", *SHARED)
    rest = Tree({"/lib/libc.so.6": File(Inline(stripped(libc)))}) + tree_of("started", "libpointers.so", of=files)
    bound = relocations(rest | compact(started, workspace), "/lib/libpointers.so")
    free = relocations(rest | compact(QUIET, workspace), "/lib/libpointers.so")
    assert free - bound == 10 * 24  # one, two; and the tables that the library itself looks up
    twice = compile_c("int one(void) { return 5; } int two(void) { return 6; }", tmp_path / "libc.so", *SHARED)
    same = rest + Tree({"/lib/libc.so.6": File(Inline(stripped(twice)))})
    assert relocations(same | compact(started, workspace), "/lib/libpointers.so") == bound + 8 * 24
    unknown = rest.filter(lambda path, _: path != "/lib/libc.so.6")
    assert relocations(unknown | compact(started, workspace), "/lib/libpointers.so") == free


def test_a_c_library_that_reads_only_the_long_form_is_told(files: dict[str, bytes], workspace: Workspace) -> None:
    made = tree_of("libpointers.so", "libother.so", of=files) | compact(
        Surroundings(packs=False, raisers=None), workspace
    )
    data = read(dict(made.files())["/lib/libpointers.so"].content)
    assert LoadedElf.read(data).tag(DT_RELR) is None
    told = {each.path: each for each in made.decisions if each.tried == "pack relocations"}
    assert "glibc reads the short one since 2.36" in told["/lib/libpointers.so"].why


def test_files_that_can_t_be_changed_say_why(files: dict[str, bytes], workspace: Workspace) -> None:
    other = bytearray(files["libother.so"])
    other[18:20] = (0xF3).to_bytes(2, "little")  # e_machine: RISC-V
    tree = Tree(
        {
            "/behind.so": File(Inline(files["libother.so"] + b"an archive")),
            "/broken.so": File(Inline(files["libother.so"][:200])),
            "/other.so": File(Inline(bytes(other))),
            "/text": File(Inline(b"text")),
        }
    )
    made = tree | compact(QUIET, workspace)
    assert made.entries == tree.entries
    assert {each.path: (each.tried, each.size) for each in made.decisions} == {
        path: ("compact", file.content.size) for path, file in tree.files() if path != "/text"
    }
    whys = {each.path: each.why for each in made.decisions}
    assert "10 bytes at" in whys["/behind.so"]
    assert "it is malformed" in whys["/broken.so"]
    assert whys["/other.so"] == "it is for EM_RISCV, and only EM_X86_64 and EM_AARCH64 are known"


def test_a_file_that_a_loader_takes_and_that_can_t_be_looked_into_may_raise(
    files: dict[str, bytes], workspace: Workspace
) -> None:
    """Patchelf moves the names of symbols to where they aren't found; libraries of wheels are like that."""
    odd = LoadedElf.read(files["libother.so"])
    data = bytearray(files["libother.so"])
    data[64:120], data[120:176] = data[120:176], data[64:120]  # the first segment has no headers then
    assert odd.segments[1].type == 1
    tree = Tree({"/odd.so": File(Inline(bytes(data))), "/lib/libother.so": File(Inline(files["libother.so"]))})
    made = tree | compact(QUIET, workspace)
    assert {each.tried for each in made.decisions} == {"compact", "drop exception tables"}
    assert raisers_in([LazyTree("odd", lambda: tree)], workspace) is not None


def test_a_file_too_large_to_look_into_may_raise(files: dict[str, bytes], tmp_path: Path, workspace: Workspace) -> None:
    with (tmp_path / "huge.so").open("wb") as stream:
        stream.write(files["libother.so"])
        stream.truncate((1 << 28) + 1)  # a hole, which takes no room
    tree = Tree({"/huge.so": File(OnDisk(tmp_path / "huge.so", (1 << 28) + 1))})
    told = raisers_in([LazyTree("huge", lambda: tree)], workspace)
    assert told is not None
    assert told.first == "/huge.so has symbols that can't be read"
    (decision,) = (tree | compact(QUIET, workspace)).decisions
    assert decision.why == "it has 268,435,457 bytes, more than 268,435,456"


def test_a_large_file_does_not_stay_in_memory(
    files: dict[str, bytes], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGE", 1000)
    made = tree_of("libother.so", of=files) | compact(QUIET, workspace)
    assert isinstance(dict(made.files())["/lib/libother.so"].content, OnDisk)


def test_decisions_are_about_the_file_as_it_was(files: dict[str, bytes], workspace: Workspace) -> None:
    made = tree_of("libpointers.so", "libthrows.so", of=files) | compact(QUIET, workspace)
    size = len(files["libpointers.so"])
    assert made.decisions[0] == Decision("/lib/libpointers.so", "drop exception tables", made.decisions[0].why, size)
