"""The tables of what CPython's own modules import are true for the Python that runs this.

A new version of Python fails here first: `cannery/imports/cpython.py` says what to do then.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.imports.analysis import reach
from cannery.imports.cpython import IN_METHODS, NEVER_RUN, OF_THE_INTERPRETER, WHEN_ASKED
from cannery.imports.host import host_of
from cannery.imports.model import Host
from cannery.imports.places import standard_library
from cannery.imports.source import read_source
from cannery.python.interpreter import describe
from cannery.workspace.process import run

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

_SINCE = {
    "ctypes._layout": (3, 14),
    "_math_integer": (3, 15),
}  # the versions of Python since which some of the table's modules are there

# Imports each module alone, in a process of its own, and prints what came along.
_ALONE = """
import importlib.machinery, json, os, sys
names = json.load(sys.stdin)
for name in names:
    if os.fork() == 0:
        before = set(sys.modules)
        try:
            __import__(name)
        except ImportError:
            os._exit(0)
        found = {module.__spec__.name for module in sys.modules.values() if getattr(module, "__spec__", None)}
        os.write(1, json.dumps([name, sorted(found - before - {name})]).encode() + b"\\n")
        os._exit(0)
    os.wait()
"""


def mentioned(name: str) -> set[str]:
    """What the source of a module of the standard library imports, if there is one."""
    stem = Path(sysconfig.get_path("stdlib"), *name.split("."))
    files = [path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()]
    mentions = [read_source(path.read_bytes(), Host(sys.version_info[:3], frozenset())) for path in files]
    return {f"{each.module}{f'.{name}' if name else ''}" for found in mentions for each in found.imports
            for name in ("", *each.names)}  # fmt: skip


def test_all_that_the_table_names_is_there() -> None:
    named = {name for names in OF_THE_INTERPRETER.values() for name in names if "*" not in name}
    newer = {name for name, since in _SINCE.items() if sys.version_info < since}
    assert {name for name in named if importlib.util.find_spec(name) is None} == newer


@pytest.mark.slow
def test_a_structure_of_ctypes_brings_its_layout(workspace: Workspace) -> None:
    """Which no import of a module in C shows, as it happens when a class is made."""
    python = describe(Path(sys.executable), workspace)
    program = (
        "import sys, ctypes\nclass S(ctypes.Structure): _fields_ = [('a', ctypes.c_int)]\n"
        "print(*(name for name in sys.modules if name.startswith('ctypes')))"
    )
    found = reach([standard_library(python)], [("ctypes", "started")], host_of(python, workspace), workspace)
    printed = run([str(python.executable), "-I", "-S", "-c", program]).stdout.split()
    assert set(printed) <= found.modules.keys()


@pytest.mark.slow
def test_what_comes_along_with_python_s_own_extension_modules_is_known(workspace: Workspace) -> None:
    python = describe(Path(sys.executable), workspace)
    library, host = standard_library(python), host_of(python, workspace)
    names = [Path(path).name.partition(".")[0] for path in library.tree.tree.entries if path.endswith(".so")]
    alone = run([str(python.executable), "-I", "-S", "-c", _ALONE], stdin=json.dumps([*names, *host.builtins])).stdout
    along = {name: set(others) for name, others in map(json.loads, alone.splitlines()) if others}
    assert along
    unknown = {
        name: others - reach([library], [(name, "started")], host, workspace).modules.keys()
        for name, others in along.items()
    }
    assert not {name: others for name, others in unknown.items() if others}


def test_what_is_never_run_stands_in_a_source() -> None:
    importers: dict[str, set[str]] = {}
    for importer, imported in NEVER_RUN:
        importers.setdefault(imported, set()).add(importer)
    there = {name for name in importers if importlib.util.find_spec(name.partition(".")[0])}
    assert {"pydoc", "plistlib", "tracemalloc"} <= there
    assert not {name for name in there if not any(name in mentioned(importer) for importer in importers[name])}


def test_methods_that_import_something_when_they_are_asked_for_are_there() -> None:
    for (importer, imported), methods in IN_METHODS.items():
        source = Path(sysconfig.get_path("stdlib"), *importer.split(".")).with_suffix(".py").read_text("utf-8")
        assert any(imported in each for each in mentioned(importer))
        assert all(f"def {method}(" in source for method in methods)


def test_an_attribute_that_is_asked_for_brings_what_the_table_says() -> None:
    for name, imports in WHEN_ASKED.items():
        (statement,) = imports
        call = "import time; time.strptime('1', '%H')" if name == "time" else "datetime.datetime.strptime('1', '%H')"
        program = f"import sys, datetime; {call}; print({statement.module!r} in sys.modules)"
        assert run([sys.executable, "-I", "-S", "-c", program]).stdout.strip() == "True"
