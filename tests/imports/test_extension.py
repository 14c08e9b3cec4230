"""What extension modules import, which no source says."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.image.content import Inline
from cannery.imports.analysis import reach
from cannery.imports.extension import OF_THE_INTERPRETER, names_in, read_binary
from cannery.imports.host import host_of
from cannery.python.interpreter import describe
from cannery.trees.shaken import standard_library
from cannery.workspace.process import run

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

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
        found = {each for each, module in sys.modules.items() if getattr(module, "__spec__", None)}
        os.write(1, json.dumps([name, sorted(found - before - {name})]).encode() + b"\\n")
        os._exit(0)
    os.wait()
"""


def test_all_that_the_table_names_is_there() -> None:
    named = {name for names in OF_THE_INTERPRETER.values() for name in names if "*" not in name}
    assert not {name for name in named if importlib.util.find_spec(name) is None}


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


def test_names_of_a_package_s_own_modules_are_found_in_a_binary() -> None:
    data = b"\0polars.exceptions.ShapeError\0Rust has polars.datatypespolars.io here\0other.module\0polars\0"
    assert names_in(data, ["polars"]) == {"polars.exceptions.ShapeError", "polars.datatypes", "polars.io"}


def test_words_in_a_binary_may_be_top_level_modules() -> None:
    data = b"\0zoneinfo\0a json b\0csvx\0_private_partThe\0partner\0strptime\0test\0own\0other\0"
    found = read_binary(Inline(data), "own.part", ["own", "other", "_private_part", "part", "absent"])
    assert found.binary == {"zoneinfo", "other", "_private_part"}
    assert found.attributes == {"strptime"}
