"""Run by PyInstaller after the bundle is made: packs the executable and the finished files beside it into one file."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from PyInstaller.building.api import EXE
from PyInstaller.config import CONF


def settle_letters() -> None:
    """Intern every string of one letter, which marshal tells from one that isn't.

    There is one of each in a process, interned or not by modules that have nothing to do with the app: those that come
    from a folder ``__pycache__`` have done so, those that are compiled have not (python/cpython#78274).
    """
    for number in range(256):
        sys.intern(chr(number))


def main() -> None:
    """Make the file."""
    settle_letters()
    here = Path(CONF["specpath"])
    wanted = json.loads((here / "bundle.json").read_text(encoding="utf-8"))
    contents = json.loads((here / "contents.json").read_text(encoding="utf-8"))
    internal = here / "finished" / "_internal"
    files = []
    for folder, folders, names in os.walk(internal):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            kind = "SYMLINK" if path.is_symlink() else "BINARY" if is_elf(path) else "DATA"
            source = str(path.readlink()) if path.is_symlink() else str(path)
            files.append((str(path.relative_to(internal)), source, kind))
    scripts = [tuple(entry) for entry in contents["scripts"]]
    options = [tuple(entry) for entry in contents["options"]]
    archive = [tuple(entry) for entry in contents["archive"]]
    EXE(archive, scripts, files, options, name=wanted["name"], upx=False)


def is_elf(path: Path) -> bool:
    """Whether a file is a program or a shared library."""
    with path.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


main()
