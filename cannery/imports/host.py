"""The Python that a program is for, asked once for the modules inside it and those that it imports by itself."""

from __future__ import annotations

import ast
import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from cannery.errors import RuntimeTreeError
from cannery.imports.model import Host
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["host_of"]

# Without the module site, which imports what .pth files of this machine name; its own imports are read from its source.
_QUESTION = """
import sys
started = sorted(sys.modules.keys() - {"__main__"})
import json
print(json.dumps({"started": started, "builtins": sorted(sys.builtin_module_names)}))
"""
# Modules without a file; and those that any program may come upon.
_INSIDE = ("_frozen_importlib", "_frozen_importlib_external")
# Those that any CPython has inside, besides the ones that its build was told of (CPython, Modules/config.c.in).
_ALWAYS_INSIDE = ("_ast", "_imp", "_string", "_tokenize", "_warnings", "builtins", "gc", "marshal", "sys")
_STARTED = ("encodings.ascii", "encodings.latin_1", "encodings.utf_8", "site")


def host_of(interpreter: Interpreter, workspace: Workspace) -> Host:
    """The modules inside ``interpreter``, and those that it imports before a program begins."""
    key = key_of("host", code_key(__name__), interpreter.fingerprint)
    answers = workspace.cache.recall("hosts", key)
    if answers is None:
        command = [str(interpreter.runs), "-I", "-S", "-X", "utf8", "-c", _QUESTION]
        answers = json.loads(workspace.run(command).stdout)
        if interpreter.here is not None:  # which may have others inside
            answers["builtins"] = _modules_inside(interpreter)
        workspace.cache.remember("hosts", key, answers)
    return Host(
        version=interpreter.version,
        builtins=frozenset({*answers["builtins"], *_INSIDE}),
        started=(*answers["started"], *_STARTED),
        newer=str(interpreter.runs) if interpreter.version[:2] > sys.version_info[:2] else "",
    )


def _modules_inside(interpreter: Interpreter) -> list[str]:
    """The modules inside an interpreter that doesn't run here, as its build has written them down (``sysconfig``).

    Raises :class:`RuntimeTreeError` where that isn't told.
    """
    for path in sorted(interpreter.stdlib.glob("_sysconfigdata*.py")):
        with suppress(SyntaxError, ValueError, KeyError):
            variables = _assigned(path.read_text(encoding="utf-8"), "build_time_vars")
            built, shared = variables["MODBUILT_NAMES"].split(), variables.get("MODSHARED_NAMES", "").split()
            return sorted({*built, *_ALWAYS_INSIDE} - set(shared))
    raise RuntimeTreeError(
        f"it can't be told which modules Python {interpreter.version_text} has inside",
        evidence=f"no _sysconfigdata*.py in {interpreter.inside(interpreter.stdlib)} of the runtime has MODBUILT_NAMES",
        step="take another runtime, or the recipe slim with a base",
    )


def _assigned(source: str, name: str) -> dict[str, str]:
    """The literal that a module assigns to ``name``."""
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                return dict(ast.literal_eval(value))
    raise KeyError(name)
