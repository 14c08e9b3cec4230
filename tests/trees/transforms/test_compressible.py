"""Which files wait for the import of a module, told from what they link to."""

from __future__ import annotations

import pytest

from cannery.elf.dynamic import Elf
from cannery.image.content import Inline
from cannery.image.tree import File, Tree
from cannery.trees.transforms.compressible import LinkedFiles, looked_through

pytestmark = pytest.mark.once

LARGE = File(Inline(bytes(600_000)))


def elf(*needed: str, runpath: tuple[str, ...] = ()) -> Elf:
    return Elf(True, True, "EM_X86_64", None, None, needed, (), runpath)  # noqa: FBT003  # 64 bits, little-endian


ELVES = {
    "/bin/python": elf("libpython.so"),
    "/bin/tool": elf("libtool.so"),
    "/lib/libpython.so": elf("libm.so"),
    "/lib/libm.so": elf(),
    "/lib/libssl.so": elf("libcrypto.so"),
    "/lib/libcrypto.so": elf(),
    "/lib/libtool.so": elf(),
    "/lib/liblzma.so": elf(),
    "/lib/libgcc_s.so.1": elf(),
    "/dyn/_ssl.so": elf("libssl.so"),
    "/dyn/_lzma.so": elf("liblzma.so"),
    "/dyn/beside.so": elf(runpath=("$ORIGIN",)),
    "/dyn/small.so": elf("libssl.so"),
}
NAMES = {path: path[5:-3] for path in ELVES if path.startswith("/dyn/")}
LINKED = LinkedFiles(ELVES, NAMES, {path.rpartition("/")[2]: path for path in ELVES if path not in NAMES})
TREE = Tree({path: LARGE if path != "/dyn/small.so" else File(Inline(b"")) for path in ELVES})


def test_large_modules_are_compressed_and_libraries_only_where_the_program_is() -> None:
    found = looked_through(TREE, LINKED, None, frozenset())
    assert found.modules == {"/dyn/_ssl.so"}
    assert found.libraries == set()
    assert found.staying == {
        "/dyn/_lzma.so": "it is needed to unpack anything",
        "/dyn/beside.so": "it looks for libraries beside itself ($ORIGIN), which a file in memory can't",
    }


def test_libraries_that_wait_for_modules_are_compressed_and_the_others_say_why_they_stay() -> None:
    found = looked_through(TREE, LINKED, "/bin/python", frozenset())
    assert found.libraries == {"/lib/libssl.so", "/lib/libcrypto.so"}
    assert {path: why for path, why in found.staying.items() if not path.startswith("/dyn/")} == {
        "/bin/python": "it is the program that is started",
        "/bin/tool": "no file links to it, so no import would unpack it",
        "/lib/libpython.so": "the program links to it",
        "/lib/libm.so": "the program links to it",
        "/lib/liblzma.so": "it is needed to unpack anything",
        "/lib/libgcc_s.so.1": "the C library opens it by its name",
        "/lib/libtool.so": "tool links to it, which no import loads",
    }
    assert found.paths == found.modules | found.libraries


def test_a_library_that_another_part_needs_stays_with_those_behind_it() -> None:
    found = looked_through(TREE, LINKED, "/bin/python", frozenset({"libssl.so", "elsewhere.so"}))
    assert found.libraries == set()
    assert found.staying["/lib/libssl.so"] == "another part of the image needs it"
    assert found.staying["/lib/libcrypto.so"] == "a library that another part of the image needs links to it"
