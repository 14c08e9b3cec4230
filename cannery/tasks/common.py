"""What the tasks share: finding the project, how they end, and the flags of a build."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.tasks.ending import friendly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.containers.engine.engine import Engine
    from cannery.project.app import App

__all__ = [
    "BUILD_HELP",
    "command_line",
    "friendly",
    "load_app",
    "load_engine",
    "program_name",
    "project_folder",
    "require_engine",
]

BUILD_HELP = {
    "engine": "Which engine to use: auto, none, docker or podman (default: auto, the first that answers).",
    "base": "Base image of the recipe: a reference, oci:DIR, docker-archive:FILE or docker-daemon:NAME.",
    "recipe": "scratch, tiny, static, onefile, slim or cython (default: the project's, or else scratch).",
    "platform": "Platform of the base, or of static: linux/amd64, linux/arm64 … (default: this machine's).",
    "tag": "Tag of the image (default: latest).",
    "python": "Python of the image: a version such as 3.12, or a path (default: the one that runs this).",
    "output": "Where to write the archive (default: dist/NAME.tar).",
    "strip": "Take symbols from the shared libraries of wheels, too.",
    "compile": "Compile the project's own modules by Cython: no source, no bytecode.",
    "refresh": "Resolve requirements that no lock pins once more, and look up the base's tag.",
    "explain": "Say which files stayed as they were though something was tried with them, and why.",
    "project": "Folder of the project (default: the nearest one with a pyproject.toml).",
}


_MARKS = ("pyproject.toml", "requirements.txt", "main.py")


def load_app(project: str | None, *, library: bool = False, **flags: object) -> App:
    """The app of the project in question; ``flags`` are settings given on the command line."""
    from cannery.project.config import load  # noqa: PLC0415

    return load(project_folder(project), flags, library=library)


def load_engine(project: str | None, choice: str | None) -> Engine | None:
    """The engine that the settings or ``choice``, a flag, mean; None where none answers. There may be no project."""
    from cannery.containers.engine.discovery import find_engine  # noqa: PLC0415
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415

    settings, _ = resolve_settings(read_project(project_folder(project)), {"engine": choice})
    return find_engine(settings.engine)


def require_engine(project: str | None, choice: str | None) -> Engine:
    """As :func:`load_engine`; raises :class:`MachineError` where no engine answers."""
    from cannery.errors import MachineError  # noqa: PLC0415

    engine = load_engine(project, choice)
    if engine is None:
        raise MachineError(
            "no engine answers",
            step='start Docker or Podman, and pip install "cannery[docker]"; --engine docker says what is wrong',
        )
    return engine


def project_folder(chosen: str | None) -> Path:
    """The chosen folder, or the nearest one upwards that has what makes a project, or this one."""
    if chosen:
        return Path(chosen)
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if any((folder / name).is_file() for name in _MARKS)), here)


def command_line(command: str, flags: Mapping[str, str | bool | None]) -> str:
    """What the user types for ``command`` with those of the ``flags`` that are set."""
    words = [program_name(), command]
    for name, value in flags.items():
        if value:
            words += [f"--{name}"] if value is True else [f"--{name}", value]
    return shlex.join(words)


def program_name() -> str:
    """How the user called this: ``invoke``, ``inv`` or ``cannery``."""
    name = Path(sys.argv[0]).name
    return name if name in {"invoke", "inv", "cannery"} else "cannery"
