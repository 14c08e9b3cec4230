"""The Python that a program is for: what is inside it, and what it imports by itself. It's asked, and once only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cannery.imports.model import Host
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["host_of"]

# Without its site module, whose files (.pth) are this machine's: what that imports is read from its source.
_QUESTION = """
import sys
started = sorted(sys.modules.keys() - {"__main__"})
import json
print(json.dumps({"started": started, "builtins": sorted(sys.builtin_module_names)}))
"""
# What there's no file of, and the modules that every program may come upon.
_INSIDE = ("_frozen_importlib", "_frozen_importlib_external")
_STARTED = ("encodings.ascii", "encodings.latin_1", "encodings.utf_8", "site")


def host_of(interpreter: Interpreter, workspace: Workspace) -> Host:
    """What is inside ``interpreter``, and what it imports before a program begins."""
    key = key_of("host", code_key(__name__), interpreter.fingerprint)
    answers = workspace.cache.recall("hosts", key)
    if answers is None:
        command = [str(interpreter.executable), "-I", "-S", "-X", "utf8", "-c", _QUESTION]
        answers = json.loads(workspace.run(command).stdout)
        workspace.cache.remember("hosts", key, answers)
    return Host(
        version=interpreter.version,
        builtins=frozenset({*answers["builtins"], *_INSIDE}),
        started=(*answers["started"], *_STARTED),
    )
