"""Modules of the standard library that stay out, and what stands in their place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.files import stamp
from cannery.model import key_of
from cannery.process import ProgramFailed

if TYPE_CHECKING:
    from cannery.app import Interpreter
    from cannery.workspace import Workspace

__all__ = ["stand_ins"]

_WORKER = Path(__file__).with_name("stand_in_worker.py")


def stand_ins(without: tuple[str, ...], interpreter: Interpreter, workspace: Workspace) -> dict[str, str]:
    """The sources that stand for those modules of ``without`` that are one file of the standard library each.

    Packages, what a leading underscore makes private, and what is installed have no stand-in: they are absent.
    """
    names = [name for name in without if name in sys.stdlib_module_names and not name.startswith("_")]
    return {name: _stand_in(name, interpreter, workspace) for name in names if _is_file(name, interpreter)}


def _is_file(name: str, interpreter: Interpreter) -> bool:
    if (interpreter.stdlib / f"{name}.py").is_file():
        return True
    return interpreter.dynload is not None and any(interpreter.dynload.glob(f"{name}.*so"))


def _stand_in(name: str, interpreter: Interpreter, workspace: Workspace) -> str:
    key = key_of("stand-in", name, interpreter.fingerprint, stamp(_WORKER))
    known = workspace.cache.recall("stand-ins", key)
    if known is not None:
        return str(known["source"])
    try:
        source = workspace.run([str(interpreter.executable), "-I", str(_WORKER), name]).stdout
    except ProgramFailed as error:
        raise ConfigurationError(
            f"[tool.cannery.onefile] without names {name!r}, which {interpreter.executable} can't import",
            evidence=error.stderr.strip().rpartition("\n")[2],
            step="leave it out of without: it isn't there anyway",
        ) from error
    workspace.cache.remember("stand-ins", key, {"source": source})
    return source
