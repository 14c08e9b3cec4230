"""The interpreter and its standard library, less what a program in a container has no use for.

The tables of such modules are made by hand: tools of developers, graphical interfaces, modules with large libraries
behind them. For a new version of Python, compare ``sys.stdlib_module_names`` with that of the version before, and add a
row for each module of that sort; a row for a module that is gone does no harm. ``tests/python/test_stdlib.py`` fails
where a row names an import that is no module of the oldest Python.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError, did_you_mean
from cannery.image.content import Content, Inline, OnDisk
from cannery.image.tree import Directory, Entry, File, Symlink, Tree
from cannery.workspace.keys import package_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cannery.python.interpreter import Interpreter

__all__ = ["BRINGS_BACK", "BRINGS_BACK_FOR_THE_APP", "interpreter_tree", "known_modules", "python_path", "unwanted_by"]

# Module or file that stays behind -> imports in the app's code that bring it back. The setting ``stdlib`` brings back
# any of them, too.
_BACK_FOR_THE_APP = {
    "_tkinter": ("tkinter", "turtle"),
    "idlelib": ("idlelib",),
    "test": ("test",),
    "tkinter": ("tkinter", "turtle"),
    "turtle": ("turtle",),
    "turtledemo": ("turtledemo",),
}
# The same for imports in a dependency's code, too: modules that are small, though the libraries behind some are large.
_BACK_FOR_ANYONE = {
    "_curses": ("curses",),
    "_curses_panel": ("curses",),
    "_dbm": ("dbm", "shelve"),
    "_gdbm": ("dbm", "shelve"),
    "curses": ("curses",),
    "distutils": ("distutils",),
    "ensurepip": ("ensurepip", "venv"),
    "lib2to3": ("lib2to3",),
    "msilib": ("msilib",),
    "nis": ("nis",),
    "pydoc_data": ("pydoc_data",),
    "readline": ("cmd", "readline", "rlcompleter"),
    "venv": ("venv",),
}
BRINGS_BACK = frozenset(name for names in _BACK_FOR_ANYONE.values() for name in names)
BRINGS_BACK_FOR_THE_APP = frozenset(name for names in _BACK_FOR_THE_APP.values() for name in names) | BRINGS_BACK
_FIND_LIBRARY = package_file("python/payload/find_library.py")
_NEVER = {"__pycache__", "site-packages", "dist-packages", "sitecustomize.py", "usercustomize.py", "EXTERNALLY-MANAGED"}
_USUAL_PREFIXES = {"/usr", "/usr/local"}  # as on any machine, so they tell nothing of this one
_TEST_FOLDERS = {"test", "tests", "idle_test"}


def known_modules(names: tuple[str, ...]) -> frozenset[str]:
    """The ``names`` of the setting ``stdlib``; raises :class:`ConfigurationError` for one that is no module."""
    left_out = {*_BACK_FOR_THE_APP, *_BACK_FOR_ANYONE, *BRINGS_BACK_FOR_THE_APP}
    for name in names:
        if name not in left_out | sys.stdlib_module_names:
            raise ConfigurationError(
                f"stdlib names {name!r}, which is no module of the standard library",
                evidence=did_you_mean(name, left_out),
                step=f"those that are left out otherwise are: {', '.join(sorted(left_out))}",
            )
    return frozenset(names)


def unwanted_by(imports: frozenset[str]) -> list[str]:
    """The modules that an app with those ``imports`` has no use for, whatever its dependencies are."""
    return sorted(_unwanted(_BACK_FOR_THE_APP, imports))


def python_path(interpreter: Interpreter) -> str:
    """The path of the interpreter in an image."""
    return f"/usr/local/bin/{interpreter.name}"


def interpreter_tree(interpreter: Interpreter, wanted: frozenset[str]) -> Tree:
    """The interpreter and the standard library as sources; ``wanted`` has imports that bring modules back."""
    executable = interpreter.executable
    python = python_path(interpreter)
    entries: dict[str, Entry] = {
        python: File(OnDisk(executable, executable.stat().st_size), 0o755),
        "/usr/local/bin/python3": Symlink(interpreter.name),
        "/usr/local/bin/python": Symlink("python3"),
        # the landmark by which the interpreter finds its prefix, even where it holds nothing
        f"{interpreter.image_stdlib}/lib-dynload": Directory(),
    }
    for path in _files(interpreter.stdlib, interpreter.dynload, wanted):
        relative = path.relative_to(interpreter.stdlib).as_posix()
        entries[f"{interpreter.image_stdlib}/{relative}"] = File(_content(path, interpreter))
    if interpreter.dynload and not interpreter.dynload.is_relative_to(interpreter.stdlib):
        for path in _files(interpreter.dynload, interpreter.dynload, wanted):
            entries[f"{interpreter.image_stdlib}/lib-dynload/{path.name}"] = File(OnDisk(path, path.stat().st_size))
    return Tree(entries)


def _content(path: Path, interpreter: Interpreter) -> Content:
    """The content of a file; the module that names the folder of the installation names the image's in its place.

    ``ctypes.util`` finds libraries with no other program's help.
    """
    if path == interpreter.stdlib / "ctypes" / "util.py":
        return Inline(path.read_bytes() + b"\n\n" + _FIND_LIBRARY.read_bytes())
    if not path.name.startswith("_sysconfigdata") or str(interpreter.prefix) in _USUAL_PREFIXES:
        return OnDisk(path, path.stat().st_size)
    text = re.sub(rf"{re.escape(str(interpreter.prefix))}(?![\w.-])", "/usr/local", path.read_text("utf-8"))
    return Inline(text.encode())


def _files(folder: Path, dynload: Path | None, wanted: frozenset[str]) -> Iterator[Path]:
    left_out = _unwanted({**_BACK_FOR_THE_APP, **_BACK_FOR_ANYONE}, wanted)
    for here, folders, names in os.walk(folder):
        top = here == str(folder)
        folders[:] = [name for name in folders if not _skipped(name, left_out, top=top)]
        for name in sorted(names):
            module = name.partition(".")[0]
            path = Path(here, name)
            if name in _NEVER or name.endswith((".pyc", ".a")) or not path.is_file():
                continue
            if (top or path.parent == dynload) and (module in left_out or _is_test_extension(module)):
                continue
            yield path


def _unwanted(table: Mapping[str, tuple[str, ...]], wanted: frozenset[str]) -> set[str]:
    return {name for name, imports in table.items() if wanted.isdisjoint((name, *imports))}


def _skipped(name: str, left_out: set[str], *, top: bool) -> bool:
    if name in _NEVER or name.startswith("config-"):
        return True
    return name in left_out if top else name in _TEST_FOLDERS


def _is_test_extension(module: str) -> bool:
    return module.startswith(("_test", "_xxtest", "xxlimited", "_ctypes_test", "xxsubtype"))
