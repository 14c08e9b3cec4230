"""The symbols that a program linked from a kit can have: Python's C API, the C library's, those of other libraries."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from cannery.executable.kit.toolchain import toolchain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.executable.kit.kit import Kit
    from cannery.workspace.workspace import Workspace

__all__ = ["KitSymbols", "archive_symbols", "symbols_of_kit"]

# Libraries of the kit by the names that others ask for them: those of the versions whose interface the kit's has.
_SONAMES: Final = {
    "libz.so.1": "libz.a",
    "libbz2.so.1": "libbz2.a",
    "libbz2.so.1.0": "libbz2.a",
    "liblzma.so.5": "liblzma.a",
    "libffi.so.8": "libffi.a",
    "libsqlite3.so.0": "libsqlite3.a",
    "libcrypto.so.3": "libcrypto.a",
    "libssl.so.3": "libssl.a",
}
_EXPORTED = re.compile(r"^(?:\.globl|\.weak|WEAK64|WEAKTIME64) (\w+)$", re.MULTILINE)  # in zig's libc.S
_MAGIC, _MEMBER = b"!<arch>\n", 60  # bytes before a member of an archive: its name in 16, its size in 10 from 48 on


@dataclass(frozen=True)
class KitSymbols:
    """The names that a program can have for shared libraries inside it."""

    kit: Kit
    workspace: Workspace

    @cached_property
    def program(self) -> frozenset[str]:
        """The names of Python's C API and of the C library, which any library may ask for."""
        (python,) = (self.kit.folder / "lib").glob("libpython3*.a")
        return archive_symbols(python) | _c_library(self.kit, self.workspace)

    @cached_property
    def libraries(self) -> Mapping[str, frozenset[str]]:
        """Those of each library that the kit has, by the name under which shared libraries ask for it."""
        folder = self.kit.folder / "lib"
        return {
            soname: archive_symbols(folder / name) for soname, name in _SONAMES.items() if (folder / name).is_file()
        }


def symbols_of_kit(kit: Kit, workspace: Workspace) -> KitSymbols:
    """The symbols of ``kit``, which are read when they are asked for."""
    return KitSymbols(kit, workspace)


def archive_symbols(path: Path) -> frozenset[str]:
    """The names in the index of a static library (System V ar, as GNU and LLVM write it); empty where it has none."""
    with path.open("rb") as stream:
        head = stream.read(len(_MAGIC) + _MEMBER)
        name, size = head[len(_MAGIC) :][:16].rstrip(), head[len(_MAGIC) + 48 :][:10]
        if not head.startswith(_MAGIC) or name not in {b"/", b"/SYM64/"}:
            return frozenset()
        index = stream.read(int(size))
    layout = struct.Struct(">I" if name == b"/" else ">Q")
    (count,) = layout.unpack_from(index)
    names = index[layout.size * (count + 1) :].split(b"\0")[:count]
    return frozenset(each.decode("ascii", "replace") for each in names)


def _c_library(kit: Kit, workspace: Workspace) -> frozenset[str]:
    """What zig's C library has: zig lists the names for programs that are linked dynamically."""
    listed = toolchain(kit.target, workspace).libc / "musl/libc.S"
    return frozenset(_EXPORTED.findall(listed.read_text(encoding="utf-8")))
