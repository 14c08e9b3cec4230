"""The project that a command is about: its folder, its app, the engine of its settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cannery.containers.engine.engine import Engine
    from cannery.project.app import App
    from cannery.project.settings import Settings
    from cannery.tasks.flags import CommandLine

__all__ = ["app_of", "engine_of", "folder_of", "required_engine_of", "settings_of"]

_MARKS: Final = ("pyproject.toml", "requirements.txt", "main.py")


def folder_of(line: CommandLine) -> Path:
    """The folder of ``--project``, or the nearest one upwards with a file of a project in it, or the current one."""
    if line.project:
        return Path(line.project)
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if any((folder / name).is_file() for name in _MARKS)), here)


def app_of(line: CommandLine, *, library: bool = False, **settings: str | None) -> App:
    """The app of the project, by the flags of ``line``, which ``settings`` override.

    For ``library``, and for what it raises, see :func:`cannery.project.config.load`.
    """
    from cannery.project.config import load  # noqa: PLC0415

    return load(folder_of(line), {**line.settings, **settings}, library=library)


def engine_of(line: CommandLine) -> Engine | None:
    """The engine of the flag or the setting ``engine``; None where none answers. There need be no project."""
    from cannery.containers.engine.discovery import find_engine  # noqa: PLC0415

    return find_engine(settings_of(line).engine)


def settings_of(line: CommandLine) -> Settings:
    """The settings in force, for a command that knows the flag ``engine`` and no other. There need be no project."""
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415

    return resolve_settings(read_project(folder_of(line)), {"engine": line.settings["engine"]})[0]


def required_engine_of(line: CommandLine) -> Engine:
    """The engine as in :func:`engine_of`; raises :class:`MachineError` where none answers."""
    from cannery.errors import MachineError  # noqa: PLC0415
    from cannery.workspace.extras import installing  # noqa: PLC0415

    engine = engine_of(line)
    if engine is None:
        raise MachineError(
            "no engine answers",
            step=f"start Docker or Podman, and {installing('docker')}; --engine docker says what is wrong",
        )
    return engine
