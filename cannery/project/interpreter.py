"""The Python that an app asks for, by its settings and ``requires-python``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError, RuntimeTreeError
from cannery.image.platform import Platform
from cannery.project.pep508 import allows
from cannery.python.interpreter import Interpreter, describe, installed_python
from cannery.workspace.files import user_path

if TYPE_CHECKING:
    from cannery.project.app import App
    from cannery.workspace.process import Runner
    from cannery.workspace.workspace import Workspace


__all__ = ["check_platform", "check_version", "find_fitting", "find_python", "interpreter_for"]


def interpreter_for(app: App, workspace: Workspace) -> Interpreter:
    """The Python of this machine that the app asks for, described; found and raises as :func:`find_python` does.

    Raises :class:`RuntimeTreeError` for one that isn't for Linux, too.
    """
    found = describe(find_python(app, workspace.run), workspace)
    if found.platform.os != "linux":
        raise RuntimeTreeError(
            f"{found.executable} is a Python for {found.platform.os}: an image needs one for linux",
            step='take it from packages:  [tool.cannery]  runtime = "debian:trixie"',
        )
    return found


def find_python(app: App, run: Runner) -> Path:
    """The executable of the Python that the app asks for, which may lie in a virtual environment.

    That is the one of the setting ``python``, or of ``.python-version``; without these, the one that runs cannery where
    ``requires-python`` allows that, and else one that uv finds. Raises :class:`RuntimeTreeError` where this machine has
    none that fits, :class:`ConfigurationError` for a path that is no program.
    """
    return find_fitting(app.folder, app.settings.python, app.python, app.metadata.requires_python, run)


def find_fitting(folder: Path, named: str | None, version: str | None, requires: str, run: Runner) -> Path:
    """The Python that a project in ``folder`` asks for, found and refused as :func:`find_python` does.

    ``named`` is the setting's, ``version`` that of ``.python-version``, ``requires`` that of ``requires-python``.
    """
    running = ".".join(map(str, sys.version_info[:3]))
    fits = allows(requires, running) and version in {None, running.rpartition(".")[0]}
    if named is None:
        return Path(sys.executable) if fits else installed_python(version or requires, run)
    if "/" in named:
        path = folder / user_path(named)
        if not os.access(path, os.X_OK):
            step = 'name a Python by its path, or by its version:  [tool.cannery]  python = "3.12"'
            raise ConfigurationError(f"python = {named!r}: there is no program {path}", step=step)
        return path
    return installed_python(named, run)


def check_platform(app: App, platform: Platform) -> None:
    """Raise :class:`ConfigurationError` where the settings ask for another platform than the Python's, ``platform``."""
    wanted = app.settings.one_platform
    if wanted is not None and not Platform.parse(wanted).agrees(platform):
        raise ConfigurationError(
            f"the recipe {app.settings.recipe} packs a Python of this machine, for {platform}, and not for {wanted}",
            step="build it there; or take the recipe tiny, static or scratch, which are built anywhere",
        )


def check_version(app: App, version: str, holder: str, step: str) -> None:
    """Raise :class:`ConfigurationError` where the setting ``python`` or ``requires-python`` excludes ``version``.

    That is the version of the Python that ``holder``, such as a base image, brings along; ``step`` leads to another
    one.
    """
    wanted, requires = app.settings.python, app.metadata.requires_python
    if wanted is not None and "/" not in wanted and not f"{version}.".startswith(f"{wanted}."):
        raise ConfigurationError(
            f"python = {wanted!r}, but {holder} has Python {version}",
            evidence=f"[tool.cannery]  python = {wanted!r}",
            step=f"{step}, or leave the setting out: its own Python is used",
        )
    if not allows(requires, version):
        raise ConfigurationError(
            f"the project asks for Python {requires}, and {holder} has Python {version}",
            evidence=f"requires-python = {requires!r}",
            step=f"{step}, or change requires-python",
        )
