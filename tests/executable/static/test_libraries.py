"""Which shared libraries go into an executable: who finds what, who asks whom, and what is refused in which words."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from cannery.executable.static.libraries import SharedLibraries
from cannery.image.content import Inline
from tests.support.elf_files import compile_c, on_disk, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.executable.kit.symbols import KitSymbols
    from cannery.image.content import Content

pytestmark = pytest.mark.once

MACHINE = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}[os.uname().machine]


class Libraries:
    """A folder to make shared libraries in, and what a kit has for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Content] = {}

    def add(self, path: str, source: str = "", *needs: str, runpath: str = "", soname: str = "") -> None:
        """Make a library that needs others of this folder, by their sonames."""
        flags = ["-shared", "-fPIC", "-nostdlib", "-Wl,--no-as-needed", "-Wl,--hash-style=sysv"]
        flags += [f"-Wl,-rpath,{runpath}"] if runpath else []
        flags += [f"-Wl,-soname,{soname or path.rpartition('/')[2]}", *(str(self.folder / need[1:]) for need in needs)]
        self.files[path] = on_disk(compile_c(source, self.folder / path[1:], *flags))

    def absent(self, path: str, source: str = "") -> None:
        """Make one that is there to be linked against, and for nothing else."""
        self.add(path, source)
        del self.files[path]

    def shared(
        self, program: str = "", kit: Mapping[str, str] | None = None, machine: str = MACHINE
    ) -> SharedLibraries:
        names = {soname: frozenset(symbols.split()) for soname, symbols in (kit or {}).items()}
        symbols = SimpleNamespace(program=frozenset(program.split()), libraries=names)
        return SharedLibraries(self.files, cast("KitSymbols", symbols), machine)


@pytest.fixture
def made(tmp_path: Path) -> Libraries:
    return Libraries(tmp_path)


def test_the_program_has_the_names_that_nobody_beside_a_library_has(made: Libraries) -> None:
    made.add("/a.libs/libhelper.so", "int helper(void) { return 1; }")
    source = "int helper(void), malloc_(void), optional(void) __attribute__((weak));"
    source += "int all(void) { return helper() + malloc_() + (optional ? optional() : 0); }"
    made.add("/a/fast.so", source, "/a.libs/libhelper.so", runpath="$ORIGIN/../a.libs")
    found = made.shared("malloc_ free_ helper").linked(["/a/fast.so"], called=["free_", "unknown"])
    assert list(found.files) == ["/a.libs/libhelper.so", "/a/fast.so"]
    assert found.program == {"malloc_", "free_"}
    assert found.linker
    assert all(len(read(found.files[path])) < len(read(made.files[path])) for path in found.files)  # they are stripped


def test_two_libraries_of_one_name_are_each_found_by_the_path_of_who_needs_them(made: Libraries) -> None:
    for package in ("a", "b"):
        made.add(f"/{package}.libs/libx.so", f"int of_{package}(void) {{ return 0; }}")
        source = f"int of_{package}(void); int f(void) {{ return of_{package}(); }}"
        made.add(f"/{package}/fast.so", source, f"/{package}.libs/libx.so", runpath=f"${{ORIGIN}}/../{package}.libs")
    shared = made.shared()
    assert [shared.problem(f"/{package}/fast.so") for package in ("a", "b")] == [None, None]
    assert list(shared.linked(["/b/fast.so"]).files) == ["/b.libs/libx.so", "/b/fast.so"]
    assert len(shared.linked(["/a/fast.so", "/b/fast.so"]).contents) == 4


def test_what_has_no_path_of_its_own_is_searched_by_that_of_what_loads_it_or_by_its_name(made: Libraries) -> None:
    made.add("/z/libdeep.so", "int deep(void) { return 0; }")
    made.add("/a.libs/libdeep.so", "int deep(void) { return 1; }")
    made.add("/a.libs/libmiddle.so", "int deep(void); int middle(void) { return deep(); }", "/a.libs/libdeep.so")
    made.add(
        "/a/fast.so", "int middle(void); int f(void) { return middle(); }", "/a.libs/libmiddle.so", runpath="/a.libs"
    )
    made.add("/a/bare.so", "int deep(void); int f(void) { return deep(); }", "/z/libdeep.so")
    shared = made.shared()
    assert list(shared.linked(["/a/fast.so"]).files) == ["/a.libs/libdeep.so", "/a.libs/libmiddle.so", "/a/fast.so"]
    assert list(shared.linked(["/a/bare.so"]).files) == ["/a.libs/libdeep.so", "/a/bare.so"]


def test_what_several_wheels_bring_alike_lies_in_the_executable_once(made: Libraries) -> None:
    for package in ("a", "b"):
        made.add(f"/{package}.libs/libx.so", "int x(void) { return 0; }")
        made.add(
            f"/{package}/{package}.so",
            "int x(void); int f(void) { return x(); }",
            f"/{package}.libs/libx.so",
            runpath=f"/{package}.libs",
        )
    found = made.shared().linked(["/a/a.so", "/b/b.so"])
    assert list(found.files) == ["/a.libs/libx.so", "/a/a.so", "/b.libs/libx.so", "/b/b.so"]
    assert len(found.contents) == 3


def test_a_library_of_the_kit_serves_those_alone_that_ask_for_it(made: Libraries) -> None:
    source = "int version(void); int f(void) { return version(); }"
    made.absent("/system/libz.so.1", "int version(void) { return 1; }")
    made.add("/a/fast.so", source, "/system/libz.so.1")
    made.add("/b.libs/libz-1234.so", "int version(void) { return 2; }")
    made.add("/b/fast.so", source, "/b.libs/libz-1234.so", runpath="/b.libs")
    shared = made.shared(kit={"libz.so.1": "version more", "libffi.so.8": "call"})
    found = shared.linked(["/a/fast.so", "/b/fast.so"])
    assert dict(found.provided) == {"libz.so.1": frozenset({"version"})}
    assert not found.program
    assert not shared.linked(["/b/fast.so"]).provided


def test_a_name_may_come_from_what_is_loaded_together_with_the_library(made: Libraries) -> None:
    made.add("/a.libs/libuses.so", "int given(void); int uses(void) { return given(); }")
    made.add("/a.libs/libgives.so", "int given(void) { return 1; }")
    source = "int uses(void); int f(void) { return uses(); }"
    made.add("/a/fast.so", source, "/a.libs/libuses.so", "/a.libs/libgives.so", runpath="/a.libs")
    shared = made.shared()
    assert shared.problem("/a/fast.so") is None
    assert shared.problem("/a.libs/libuses.so") == "it asks for given, which nothing here has"


def test_why_a_library_can_t_be_loaded_is_told(made: Libraries) -> None:
    many = "".join(f"int n{number}(void); " for number in range(5))
    made.add("/many.so", f"{many} int f(void) {{ return {' + '.join(f'n{number}()' for number in range(5))}; }}")
    made.absent("/system/libc.so.6")
    made.absent("/system/libnowhere.so.2")
    made.add("/glibc.so", "", "/system/libc.so.6")
    made.add("/lonely.so", "", "/system/libnowhere.so.2")
    made.add("/leads.so", "", "/lonely.so")
    made.files["/damaged.so"] = Inline(b"\x7fELF and no more")
    shared = made.shared()
    assert shared.problem("/many.so") == "it asks for n0, n1, n2 and 2 more, which nothing here has"
    assert shared.problem("/glibc.so") == (
        "it is for the C library glibc, and there's no wheel of this version for musl (musllinux_1_2)"
    )
    absent = "it needs libnowhere.so.2, which neither the wheels nor the kit have"
    assert shared.problem("/lonely.so") == absent
    assert shared.problem("/leads.so") == f"it needs /lonely.so, and {absent}"
    assert str(shared.problem("/damaged.so")).startswith("it can't be read as a shared library: ")
    assert made.shared(machine="EM_RISCV").problem("/leads.so") == f"it is for another machine: {MACHINE}"


def test_names_of_the_c_library_and_of_python_are_the_program_itself(made: Libraries) -> None:
    for soname in ("libc.so", "libc.musl-x86_64.so.1", "libpython3.so", "libpython3.13.so.1.0"):
        made.absent(f"/system/{soname}")
        made.add("/fast.so", "", f"/system/{soname}")
        assert made.shared().problem("/fast.so") is None, soname
