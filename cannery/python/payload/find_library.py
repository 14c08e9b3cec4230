"""Follows ctypes.util in an image, which has none of the programs that find_library asks: ldconfig, cc, ld."""

import os as _os
from glob import escape as _escape
from glob import glob as _glob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes.util import find_library as _found_by_programs
else:
    _found_by_programs = find_library  # noqa: F821  # of the module that this follows


def find_library(name: str) -> str | None:
    """Return the name of a shared library: as programs tell it, or else as it lies in a folder that loaders look in."""
    return _found_by_programs(name) or _found_in_folders(name)


def _found_in_folders(name: str) -> str | None:
    folders = [*_os.environ.get("LD_LIBRARY_PATH", "").split(":"), "/usr/local/lib"]
    for usual in ("/lib", "/usr/lib"):
        folders += [f"{usual}/*-linux-*", usual, f"{usual}64"]
    for folder in filter(None, folders):
        if found := sorted(_glob(f"{folder}/lib{_escape(name)}.so*")):  # noqa: PTH207  # it is imported anyway
            return found[0].rpartition("/")[2]
    return None
