"""Tables for exceptions: who needs them, and what works when they're gone."""

from __future__ import annotations

import ctypes
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from cannery.elf.closure import closure_of
from cannery.elf.constants import PT_GNU_EH_FRAME
from cannery.elf.eh_frame import drop_tables, has_tables, who_asks
from cannery.elf.headers import UnsupportedElfError
from cannery.elf.rewrite import LoadedElf
from cannery.elf.symbols import Symbols
from tests.support.elf_files import LIBRARY, compacted, compile_c, compile_cpp, loaded, read, readelf, stripped

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

THROWS = """
#include <stdexcept>
extern "C" int caught(int x) {
    try { if (x) throw std::runtime_error(std::to_string(x)); }
    catch (std::exception &error) { return 40 + (error.what()[0] - '0'); }
    return 0;
}
"""
SHARED = ("-shared", "-fPIC", "-O1")


def asks(path: Path) -> str | None:
    """How the file shows that it may need tables, by all but the libraries that it links to."""
    return who_asks([], Symbols.read(loaded(path)))


def test_a_function_of_c_asks_for_nothing(tmp_path: Path) -> None:
    assert asks(compile_c(LIBRARY, tmp_path / "lib.so", *SHARED)) is None


@pytest.mark.parametrize(
    ("source", "function"),
    [
        (
            "struct _Unwind_Exception; void _Unwind_Resume(void *); void f(void *x) { _Unwind_Resume(x); }",
            "_Unwind_Resume",
        ),
        ("#include <execinfo.h>\nint f(void **p) { return backtrace(p, 9); }", "backtrace"),
        ("#include <execinfo.h>\nvoid f(void **p) { backtrace_symbols_fd(p, 9, 1); }", "backtrace_symbols_fd"),
        ("#define _GNU_SOURCE\n#include <link.h>\nint f(void) { return dl_iterate_phdr(0, 0); }", "dl_iterate_phdr"),
        ("#include <pthread.h>\nint f(pthread_t t) { return pthread_cancel(t); }", "pthread_cancel"),
        ("void __register_frame(void *); void f(void *x) { __register_frame(x); }", "__register_frame"),
        (
            "void __gnat_raise_exception(void *); void f(void *x) { __gnat_raise_exception(x); }",
            "__gnat_raise_exception",
        ),
        ("void _d_throwdwarf(void *); void f(void *x) { _d_throwdwarf(x); }", "_d_throwdwarf"),
        ("int unw_step(void *); int f(void *x) { return unw_step(x); }", "unw_step"),
    ],
)
def test_a_file_shows_by_a_function_that_it_needs_tables(tmp_path: Path, source: str, function: str) -> None:
    assert asks(compile_c(source, tmp_path / "lib.so", *SHARED)) == f"asks for {function}"


def test_cleaning_up_in_c_shows_by_its_personality(tmp_path: Path) -> None:
    source = """
        void end(int *x); void other(void);
        void f(void) { __attribute__((cleanup(end))) int x = 1; other(); }
    """
    found = asks(compile_c(source, tmp_path / "lib.so", *SHARED, "-fexceptions"))
    assert found in {"asks for _Unwind_Resume", "asks for __gcc_personality_v0"}


def test_what_every_library_of_gcc_asks_for_is_no_sign(tmp_path: Path) -> None:
    source = "#include <stdlib.h>\nvoid f(void) {} __attribute__((constructor)) void g(void) { atexit(f); }"
    path = compile_c(source, tmp_path / "lib.so", *SHARED)
    assert {b"__cxa_finalize", b"__cxa_atexit"} & set(Symbols.read(loaded(path)).asked_for())  # type: ignore[union-attr]
    assert asks(path) is None


def test_a_library_that_raises_through_another_shows_by_linking_to_it(tmp_path: Path) -> None:
    """std::vector::at raises by a function of libstdc++ that has no special name."""
    source = 'extern "C" int f(int x); #include <vector>\nint f(int x) { return std::vector<int>(3).at(x); }'.replace(
        "; #", ";\n#"
    )
    path = compile_cpp(source, tmp_path / "lib.so", *SHARED, "-fno-exceptions")
    assert asks(path) is None
    assert who_asks(["libm.so.6", "libstdc++.so.6"], Symbols.read(loaded(path))) == "links to libstdc++.so.6"


@pytest.mark.parametrize(
    "name",
    ["libgcc_s.so.1", "libgcc_s-2d94.so.1", "libstdc++-6c1f.so.6", "libc++.so.1", "libc++abi.so.1", "libgnat-12.so"],
)
def test_libraries_that_raise_are_known_by_their_names_with_digests_too(name: str) -> None:
    assert who_asks([name], Symbols(b"", b"\0")) == f"links to {name}"


@pytest.mark.parametrize("name", ["libc.so.6", "libgcc_something.so", "libunwinder.so", "libobjects.so.1"])
def test_names_that_only_begin_alike_are_no_sign(name: str) -> None:
    assert who_asks([name], Symbols(b"", b"\0")) is None


def test_of_symbols_that_can_t_be_read_there_s_no_telling() -> None:
    assert who_asks([], None) == "has symbols that can't be read"


def test_tables_go_with_their_header(tmp_path: Path) -> None:
    before = stripped(compile_c(LIBRARY, tmp_path / "lib.so", *SHARED))
    program = LoadedElf.read(before)
    assert has_tables(program)
    assert drop_tables(program)
    after = LoadedElf.read(program.assembled())
    assert not has_tables(after)
    assert not drop_tables(after)


@pytest.mark.slow
def test_exceptions_find_their_way_where_tables_stay(tmp_path: Path) -> None:
    path = compile_cpp(THROWS, tmp_path / "libthrows.so", *SHARED)
    after = compacted(stripped(path), keep_eh_frame=True)
    (tmp_path / "libsmall.so").write_bytes(after)
    found = ctypes.CDLL(str(tmp_path / "libsmall.so"))
    assert [found.caught(number) for number in (0, 5, 71)] == [0, 45, 47]


def runs(data: bytes, folder: Path) -> int:
    (folder / "small").write_bytes(data)
    (folder / "small").chmod(0o755)
    return subprocess.run([str(folder / "small")], check=False).returncode


@pytest.mark.slow
def test_exceptions_end_a_program_that_lost_its_tables(tmp_path: Path) -> None:
    """So it matters who asks for them."""
    program = compile_cpp(THROWS + "int main(void) { return caught(5); }", tmp_path / "program")
    assert runs(compacted(stripped(program), keep_eh_frame=True), tmp_path) == 45
    assert runs(compacted(stripped(program), keep_eh_frame=False), tmp_path) == -6  # abort(3)


@pytest.mark.slow
def test_a_program_with_all_its_libraries_inside_keeps_its_tables(tmp_path: Path) -> None:
    """It asks nobody for anything, whether it raises or not."""
    program = compile_cpp(THROWS + "int main(void) { return caught(5); }", tmp_path / "program", "-static-pie")
    assert asks(program) is None
    with pytest.raises(UnsupportedElfError, match="static-pie"):
        drop_tables(loaded(program))
    assert runs(compacted(stripped(program), keep_eh_frame=False), tmp_path) == 45


@pytest.mark.parametrize(
    ("how", "returned"),
    [
        ("static void *run(void *x) { pthread_exit((void *) 5L); return x; }", 5),
        ("static void *run(void *x) { pthread_cancel(pthread_self()); pause(); return x; }", 255),  # PTHREAD_CANCELED
    ],
)
def test_a_thread_ends_without_tables(tmp_path: Path, how: str, returned: int) -> None:
    source = f"""
        #include <pthread.h>
        #include <unistd.h>
        {how}
        int main(void) {{
            pthread_t t; void *r; pthread_create(&t, 0, run, 0); pthread_join(t, &r); return (int) (long) r;
        }}
    """
    after = compacted(stripped(compile_c(source, tmp_path / "program")), keep_eh_frame=False)
    assert not has_tables(LoadedElf.read(after))
    assert runs(after, tmp_path) == returned


def test_the_unwinder_ends_a_program_where_it_lost_its_own_tables(tmp_path: Path) -> None:
    """So libgcc_s.so.1 keeps them in every image."""
    source = """
        #include <pthread.h>
        static void *run(void *x) { pthread_exit((void *) 5L); return x; }
        int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); return pthread_join(t, 0); }
    """
    program = compile_c(source, tmp_path / "program")
    unwinder = next(
        path for name, path in closure_of("/usr/bin/env").libraries.items() if name.endswith("/libgcc_s.so.1")
    )
    for tables, returned in ((True, 0), (False, -6)):  # abort(3)
        (tmp_path / "libgcc_s.so.1").write_bytes(compacted(read(unwinder), keep_eh_frame=tables))
        done = subprocess.run([str(program)], env={"LD_LIBRARY_PATH": str(tmp_path)}, check=False)
        assert done.returncode == returned


def test_the_entries_may_end_with_their_segment(tmp_path: Path) -> None:
    """The compiler's crtend.o, which has the entry that ends them, isn't linked to everything."""
    before = stripped(compile_c(LIBRARY, tmp_path / "lib.so", *SHARED, "-nostartfiles", "-nostdlib"))
    assert "ZERO terminator" not in readelf(before, "--debug-dump=frames")
    program = LoadedElf.read(before)
    assert drop_tables(program)
    assert not has_tables(LoadedElf.read(program.assembled()))


@pytest.mark.parametrize(
    ("offset", "byte", "why"),
    [
        (0, 2, "not written as linkers write it"),  # the version
        (1, 0x1C, "not written as linkers write it"),  # how the distance is encoded
        (2, 0xFF, "not written as linkers write it"),  # how the number is
        (8, 200, "tells of 200 functions"),
    ],
)
def test_tables_stay_where_their_header_is_odd(tmp_path: Path, offset: int, byte: int, why: str) -> None:
    program = loaded(compile_c(LIBRARY, tmp_path / "lib.so", *SHARED))
    header = next(each for each in program.segments if each.type == PT_GNU_EH_FRAME)
    program.write(header.vaddr + offset, bytes([byte]))
    with pytest.raises(UnsupportedElfError, match=why):
        drop_tables(program)


@pytest.mark.parametrize("length", [3, 0xFFFFFF, 0xFFFFFFFF])
def test_tables_stay_where_an_entry_is_odd(tmp_path: Path, length: int) -> None:
    program = loaded(compile_c(LIBRARY, tmp_path / "lib.so", *SHARED))
    header = next(each for each in program.segments if each.type == PT_GNU_EH_FRAME)
    (distance,) = struct.unpack("<i", program.at_address(header.vaddr + 4, 4))
    program.write(header.vaddr + 4 + distance, struct.pack("<I", length))
    with pytest.raises(UnsupportedElfError, match=r"functions, and its \.eh_frame of"):
        drop_tables(program)
