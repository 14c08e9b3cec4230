"""The Python that a program is for, asked once for the modules inside it and those that it imports by itself."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

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
_STARTED = ("encodings.ascii", "encodings.latin_1", "encodings.utf_8", "site")


def host_of(interpreter: Interpreter, workspace: Workspace) -> Host:
    """The modules inside ``interpreter``, and those that it imports before a program begins."""
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
        newer=str(interpreter.executable) if interpreter.version[:2] > sys.version_info[:2] else "",
    )
