"""ELF files without what a loader does without: they work as before, and what they carry for others stays."""

from __future__ import annotations

import ctypes
import platform
import random
import struct
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cannery.elf.relr import ABI
from cannery.elf.rewrite import PT_GNU_EH_FRAME, LoadedElf
from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.trees.transforms.compact import Surroundings, compact, compact_elf, raisers_in
from cannery.trees.transforms.strip import strip_elf
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace
from tests.support.elf_files import POINTERS, WITH_POINTERS, compile_c, complaints, on_disk, read

if TYPE_CHECKING:
    from pathlib import Path

RELA, RELASZ, RELR, JMPREL, BIND_NOW = 7, 8, 36, 23, ("-Wl,-z,now",)
PROGRAM = WITH_POINTERS + "int main(void) { return sum() == 4498500 && call(1) == 2 ? 7 : 1; }"
THROWS = f"""
#include <stdexcept>
{POINTERS}
extern "C" int caught(int x) {{
    try {{ if (x) throw std::runtime_error(text[x]); }}
    catch (std::exception &error) {{ return 40 + (error.what()[0] - '0'); }}
    return 0;
}}
"""

pytestmark = pytest.mark.skipif(platform.libc_ver() < ("glibc", "2.36"), reason="this C library can't read DT_RELR")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return compile_c(WITH_POINTERS, tmp_path / "libpointers.so", "-shared", "-fPIC", "-O1")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(Cache(tmp_path / "cache"))


def compile_throws(folder: Path) -> Path:
    source, target = folder / "throws.cpp", folder / "libthrows.so"
    source.write_text(THROWS)
    subprocess.run(["g++", "-shared", "-fPIC", "-o", str(target), str(source)], check=True)
    return target


def stripped(path: Path) -> bytes:
    return read(strip_elf(on_disk(path)))


def written(data: bytes, target: Path) -> Path:
    target.write_bytes(data)
    target.chmod(0o755)
    return target


def program(data: bytes) -> LoadedElf:
    found = LoadedElf.read(data)
    assert found is not None
    return found


def has_tables(data: bytes) -> bool:
    return any(segment.type == PT_GNU_EH_FRAME for segment in program(data).segments)


def test_a_library_works_as_before_and_is_smaller(library: Path, tmp_path: Path) -> None:
    before = stripped(library)
    after = compact_elf(before, packs=True, tables=False)
    assert len(after) < len(before) - 3000 * 20
    found = ctypes.CDLL(str(written(after, tmp_path / "libsmall.so")))
    assert (found.sum(), [found.call(number) for number in range(8)]) == (4498500, [1, 2] * 4)
    assert complaints(tmp_path / "libsmall.so") <= complaints(library)
    assert compact_elf(after, packs=True, tables=False) == after


@pytest.mark.parametrize(
    "flags", [(), ("-no-pie",), ("-static-pie",), ("-static",), BIND_NOW, ("-Wl,--hash-style=both",)]
)
@pytest.mark.parametrize("tables", [True, False])
def test_a_program_runs_as_before(tmp_path: Path, flags: tuple[str, ...], tables: bool) -> None:
    before = stripped(compile_c(PROGRAM, tmp_path / "program", *flags))
    after = written(compact_elf(before, packs=True, tables=tables), tmp_path / "small")
    assert subprocess.run([str(after)], check=False).returncode == 7
    assert after.stat().st_size <= len(before)


@pytest.mark.parametrize("flags", [(), BIND_NOW])
def test_what_another_linker_made_with_no_room_to_spare_works(tmp_path: Path, flags: tuple[str, ...]) -> None:
    pytest.importorskip("ziglang")
    source, target = tmp_path / "library.c", tmp_path / "liblld.so"
    source.write_text(WITH_POINTERS)
    command = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-O1", *flags, "-o", str(target), str(source)]
    subprocess.run(command, check=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    after = compact_elf(stripped(target), packs=True, tables=False)
    assert len(after) < len(stripped(target))
    found = ctypes.CDLL(str(written(after, tmp_path / "libsmall.so")))
    assert (found.sum(), found.call(1)) == (4498500, 2)


def test_symbols_that_nobody_else_has_are_bound(library: Path, tmp_path: Path) -> None:
    before = stripped(library)
    open_, bound = (
        compact_elf(before, packs=True, tables=True, own=own) for own in (frozenset(), frozenset({b"one", b"two"}))
    )
    assert (program(open_).tag(RELASZ) or 0) - (program(bound).tag(RELASZ) or 0) == 8 * 24
    assert ctypes.CDLL(str(written(bound, tmp_path / "libbound.so"))).call(3) == 2


def test_without_a_loader_that_can_relocations_stay(library: Path) -> None:
    before = stripped(library)
    after = compact_elf(before, packs=False, tables=True)
    assert program(after).tag(RELR) is None
    assert program(after).tag(RELASZ) == program(before).tag(RELASZ)
    assert ABI not in after


def test_a_library_that_defines_versions_keeps_them(tmp_path: Path) -> None:
    script = tmp_path / "versions"
    script.write_text("ONE_1.0 { global: sum; call; };\nTWO_2.0 { global: one; two; local: *; };\n")
    path = compile_c(WITH_POINTERS, tmp_path / "libversions.so", "-shared", "-fPIC", f"-Wl,--version-script={script}")
    source = "int sum(void); int one(void); int main(void) { return sum() == 4498500 ? 7 + one() : 1; }"
    user = compile_c(source, tmp_path / "user", f"-L{tmp_path}", "-lversions", f"-Wl,-rpath,{tmp_path}")
    written(compact_elf(stripped(path), packs=True, tables=False), path)
    assert subprocess.run([str(user)], check=False).returncode == 8


def test_exceptions_find_their_way(tmp_path: Path) -> None:
    path = compile_throws(tmp_path)
    after = compact_elf(stripped(path), packs=True, tables=True)
    assert len(after) < path.stat().st_size
    found = ctypes.CDLL(str(written(after, tmp_path / "libsmall.so")))
    assert [found.caught(number) for number in (0, 5, 71)] == [0, 45, 47]


def test_a_thread_ends_without_tables(tmp_path: Path) -> None:
    source = """
        #include <pthread.h>
        static void *run(void *x) { pthread_exit((void *) 5L); return x; }
        int main(void) {
            pthread_t t; void *r; pthread_create(&t, 0, run, 0); pthread_join(t, &r); return (int) (long) r;
        }
    """
    after = compact_elf(stripped(compile_c(source, tmp_path / "program")), packs=True, tables=False)
    assert not has_tables(after)
    assert subprocess.run([str(written(after, tmp_path / "small"))], check=False).returncode == 5


def test_what_a_program_carries_for_itself_stays(tmp_path: Path) -> None:
    path = compile_c(PROGRAM, tmp_path / "program")
    behind = stripped(path) + b"an archive"
    assert compact_elf(behind, packs=True, tables=False) == behind
    (tmp_path / "payload").write_bytes(b"an archive" * 100)
    added = ["objcopy", "--add-section", f"payload={tmp_path / 'payload'}", str(path)]
    subprocess.run(added, check=True)
    assert compact_elf(stripped(path), packs=True, tables=False) == stripped(path)


def test_a_section_of_its_own_is_still_found(tmp_path: Path) -> None:
    source = WITH_POINTERS + 'int mine[64] __attribute__((section(".MyRuntime"))) = {77};'
    path = compile_c(source, tmp_path / "libmine.so", "-shared", "-fPIC")
    after = written(compact_elf(stripped(path), packs=True, tables=False), tmp_path / "libsmall.so")
    dumped = ["objcopy", "-O", "binary", "--only-section=.MyRuntime", str(after), str(tmp_path / "dump")]
    subprocess.run(dumped, check=True)
    assert struct.unpack_from("<i", (tmp_path / "dump").read_bytes()) == (77,)


def test_damaged_files_come_back_or_are_changed_without_complaint(library: Path) -> None:
    data, dice = stripped(library), random.Random(5)
    for _ in range(300):
        damaged = bytearray(data[: dice.randrange(64, len(data) + 1)])
        for _ in range(dice.randrange(1, 9)):
            damaged[dice.randrange(min(len(damaged), 1200))] = dice.randrange(256)
        assert len(compact_elf(bytes(damaged), packs=True, tables=False)) <= len(damaged)


def _tree(*names: str, of: dict[str, bytes]) -> Tree:
    return Tree({f"/lib/{name}": File(Inline(of[name]), 0o755) for name in names})


def test_tables_stay_where_somebody_in_the_image_raises(library: Path, tmp_path: Path, workspace: Workspace) -> None:
    throws = compile_throws(tmp_path)
    uses = compile_c(
        "int one(void); int main(void) { return one(); }", tmp_path / "started", f"-L{tmp_path}", "-lpointers"
    )
    other = compile_c("int other(int x) { return x; }", tmp_path / "libother.so", "-shared", "-fPIC")
    files = {path.name: stripped(path) for path in (library, throws, uses, other)}
    wheels = [LazyTree(name, partial(_tree, name, of=files)) for name in files]
    nobody = raisers_in([wheels[0], wheels[3]], workspace)
    somebody = raisers_in(wheels, workspace)
    assert nobody is None
    assert somebody is not None
    assert "libstdc++.so.6" in somebody
    runtime = _tree("started", "libpointers.so", "libother.so", of=files)
    kept = {}
    for raisers in (nobody, somebody, ("libother.so",)):
        around = Surroundings(packs=True, raisers=raisers, program="/lib/started")
        made = compact(around, workspace)(runtime)
        kept[raisers] = [path[5:] for path, file in made.files() if has_tables(read(file.content))]
    assert list(kept.values()) == [[], ["libpointers.so", "started"], ["libother.so", "libpointers.so", "started"]]
    dependencies = compact(Surroundings(packs=True, raisers=somebody), workspace)(_tree("libother.so", of=files))
    assert all(has_tables(read(file.content)) for _, file in dependencies.files())
