"""The imports of a real run: a command, such as the project's tests, is run and watched."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.workspace.files import explained
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.workspace.workspace import Workspace

__all__ = ["Traced", "traced"]

Traced = tuple[tuple[str, str], ...]  # (importer, imported)

_HOOK = package_file("imports/workers/trace_hook.py")


def traced(command: str, folder: Path, workspace: Workspace, *, of: Iterable[str]) -> Traced:
    """Run ``command`` in ``folder``; returns the imports in every Python that it starts.

    It's run once, and again when one of the keys ``of`` the trees that it imports from changes. Raises
    :class:`ConfigurationError` when the command fails, as half a run shows half of the imports.
    """
    key = key_of("trace", code_key(__name__), command, str(folder), tuple(of))
    known = None if workspace.refresh else workspace.cache.recall("traces", key)
    if known is None:
        workspace.progress(f"tracing the imports of {command}")
        known = {"imports": sorted(_run(command, folder, workspace))}
        workspace.cache.remember("traces", key, known)
    return tuple((importer, name) for importer, name in known["imports"])


def _run(command: str, folder: Path, workspace: Workspace) -> set[tuple[str, str]]:
    with workspace.cache.scratch() as scratch:
        notes = scratch / "imports"
        with explained(scratch):
            shutil.copyfile(_HOOK, scratch / "sitecustomize.py")
        env = {
            "CANNERY_TRACE": str(notes),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(scratch), os.environ.get("PYTHONPATH")])),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        try:
            workspace.run(_words(command), cwd=folder, env=env)
        except ProgramFailed as error:
            raise ConfigurationError(
                f"the command that trace names fails: {command}",
                evidence=(error.stdout + error.stderr).strip()[-2000:],
                step=f"see that it passes in {folder}, or leave trace out",
            ) from error
        lines = notes.read_text("utf-8").splitlines() if notes.exists() else []
    return {(importer, name) for importer, _, name in (line.partition("\t") for line in lines)}


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ConfigurationError(
            f"trace = {command!r} is no command", evidence=str(error), step="correct it"
        ) from error
    if not words:
        raise ConfigurationError(
            "trace names no command", step='write it as in  trace = "pytest tests", or leave it out'
        )
    return words
