"""ELF files: what they ask of their loader, where that lies, and the files made smaller without moving code.

The names below are for other projects to use. They take a file as content, bytes by reference: ``OnDisk`` is a file
that is read when it's needed, ``Inline`` is bytes. For this Python's own program:

>>> import sys
>>> from pathlib import Path
>>> from cannery.elf import closure_of, needed_glibc, read_elf, strip_elf
>>> from cannery.image.content import OnDisk
>>> program = Path(sys.executable).resolve()
>>> content = OnDisk(program, program.stat().st_size)

What it asks of its loader, and the shared libraries that all of it leads to on this machine:

>>> elf = read_elf(content)
>>> libraries = closure_of(str(program)).libraries
>>> [name for name in elf.needed if not any(path.endswith(f"/{name}") for path in libraries)]
[]
>>> needed_glibc(content) < (3, 0)
True

The same without symbols, and the reason where it stays as it is:

>>> outcome = strip_elf(content)
>>> outcome.content.size <= content.size
True
>>> strip_elf(OnDisk(program, content.size - 1)).refusals[0].tried
'strip'

The format is that of the System V gABI (https://gabi.xinuos.com) with GNU's additions (elf(5), LSB 5.0) and what the
psABIs of x86-64 and AArch64 add; libraries are looked for as ld.so(8) says. ``docs/elf.md`` shows each function, and
``README.md`` beside this module says why each change is safe.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cannery.elf.closure import Closure, MissingLibraryError, closure_of, needs_of, needs_of_file
    from cannery.elf.compact import compact_elf
    from cannery.elf.dynamic import Elf, read_elf
    from cannery.elf.headers import ElfError, MalformedElfError, UnsupportedElfError
    from cannery.elf.need import Need
    from cannery.elf.outcome import Outcome, Refusal
    from cannery.elf.rpath import confine_rpath, drop_absolute_rpath
    from cannery.elf.strip import strip_elf
    from cannery.elf.versions import needed_glibc

__all__ = [
    "Closure",
    "Elf",
    "ElfError",
    "MalformedElfError",
    "MissingLibraryError",
    "Need",
    "Outcome",
    "Refusal",
    "UnsupportedElfError",
    "closure_of",
    "compact_elf",
    "confine_rpath",
    "drop_absolute_rpath",
    "needed_glibc",
    "needs_of",
    "needs_of_file",
    "read_elf",
    "strip_elf",
]

_NAMES = {
    "closure": ("Closure", "MissingLibraryError", "closure_of", "needs_of", "needs_of_file"),
    "compact": ("compact_elf",),
    "dynamic": ("Elf", "read_elf"),
    "headers": ("ElfError", "MalformedElfError", "UnsupportedElfError"),
    "need": ("Need",),
    "outcome": ("Outcome", "Refusal"),
    "rpath": ("confine_rpath", "drop_absolute_rpath"),
    "strip": ("strip_elf",),
    "versions": ("needed_glibc",),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}

if not TYPE_CHECKING:  # a type checker knows the names from above, and that there are no others

    def __getattr__(name: str) -> object:
        """A name of ``__all__``, imported when it's asked for (PEP 562): most of cannery needs one module of these."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
