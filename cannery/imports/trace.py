"""What runs show: a command, such as the project's tests, or the program itself is run and watched."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.workspace.files import explained
from cannery.workspace.keys import package_file
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cannery.workspace.workspace import Workspace

__all__ = ["Traced", "Watch", "Watched", "run_command", "watched"]

Traced = tuple[tuple[str, str], ...]  # (importer, imported)

_HOOK = package_file("imports/workers/trace_hook.py")


@dataclass(frozen=True, slots=True)
class Watched:
    """What every Python of a run imported, opened and started; paths in the project are relative to it."""

    imports: Traced = ()
    opened: tuple[tuple[str, str], ...] = ()  # (file of the project whose code opened it, or "", file of the project)
    libraries: tuple[tuple[str, str], ...] = ()  # (the same, name or path of a shared library)
    programs: tuple[str, ...] = ()  # that were started, or looked for in vain: names or paths


@dataclass(frozen=True, slots=True)
class Watch:
    """What makes Pythons tell what they do."""

    hook: Path  # a folder with a sitecustomize
    notes: Path
    folder: Path  # the project's, whose files count

    def variables(self, others: Mapping[str, str]) -> dict[str, str]:
        """``others``, variables of an environment, with those by which each Python in it is watched."""
        path = [str(self.hook), *filter(None, [others.get("PYTHONPATH")])]
        return {
            **others,
            "TRACED_INTO": str(self.notes),
            "TRACED_FOLDER": str(self.folder),
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def watched(run: Callable[[Watch], None], folder: Path, workspace: Workspace) -> Watched:
    """What Pythons do while ``run`` starts them with the variables of the watch it's given, by ``folder``, a project's.

    What is started with ``-I`` or ``-E`` is not seen.
    """
    with workspace.cache.scratch() as scratch:
        watch = Watch(scratch / "hook", scratch / "notes", folder)
        with explained(scratch):
            watch.hook.mkdir()
            shutil.copyfile(_HOOK, watch.hook / "sitecustomize.py")
        run(watch)
        lines = watch.notes.read_text("utf-8").splitlines() if watch.notes.exists() else []
    words = sorted({(kind, by, what) for kind, by, what in (line.split("\t") for line in lines)})
    return Watched(
        imports=tuple((by, what) for kind, by, what in words if kind == "import"),
        opened=tuple(_inside(words, "open", folder)),
        libraries=tuple(_inside(words, "library", folder)),
        programs=tuple(dict.fromkeys(what for kind, _, what in words if kind == "program")),
    )


def run_command(command: str, watch: Watch, workspace: Workspace) -> None:
    """Run ``command`` in the project's folder, with the Python that runs cannery first on ``PATH``.

    Raises :class:`ConfigurationError` when it fails, as half a run shows half of what there is.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
    try:
        workspace.run(_words(command), cwd=watch.folder, env=watch.variables({**os.environ, "PATH": path}))
    except ProgramFailed as error:
        raise ConfigurationError(
            f"the command that trace names fails: {command}",
            evidence=(error.stdout + error.stderr).strip()[-2000:],
            step=f"see that it passes in {watch.folder}, or leave trace out",
        ) from error


def _inside(words: list[tuple[str, str, str]], wanted: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The lines of one kind, with paths that lie in ``folder`` relative to it."""
    root = f"{folder}/"
    for kind, by, what in words:
        if kind == wanted:
            yield by.removeprefix(root), what.removeprefix(root)


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
