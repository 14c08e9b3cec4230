"""Which Python the app asks for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from cannery.errors import ConfigurationError
from cannery.image.platform import Platform
from cannery.python.interpreter import Interpreter, _ask_uv, describe
from cannery.workspace.files import user_path

if TYPE_CHECKING:
    from cannery.project.app import App
    from cannery.workspace.process import Runner
    from cannery.workspace.workspace import Workspace


__all__ = ["check_platform", "check_version", "find_python", "interpreter_for"]


def interpreter_for(app: App, workspace: Workspace) -> Interpreter:
    """The Python that the app asks for: its setting, then ``requires-python``, then the one that runs cannery.

    Raises :class:`RuntimeTreeError` when this machine has none that fits.
    """
    return describe(find_python(app, workspace.run), workspace)


def find_python(app: App, run: Runner) -> Path:
    """The executable of the Python that the app asks for; it may lie in a virtual environment."""
    requires = _specifiers(app.metadata.requires_python)
    wanted = app.settings.python
    if wanted is None:
        if requires.contains(".".join(map(str, sys.version_info[:3])), prereleases=True):
            return Path(sys.executable)
        wanted = str(requires)
    elif "/" in wanted:
        path = app.folder / user_path(wanted)
        if not os.access(path, os.X_OK):
            step = 'name a Python by its path, or by its version:  [tool.cannery]  python = "3.12"'
            raise ConfigurationError(f"python = {wanted!r}: there is no program {path}", step=step)
        return path
    return _ask_uv(wanted, run)


def check_platform(app: App, platform: Platform) -> None:
    """See that ``platform``, that of the Python which is packed, is the one that the settings ask for, if any.

    Raises :class:`ConfigurationError` where it's another.
    """
    wanted = app.settings.platform
    if wanted is not None and not Platform.parse(wanted).agrees(platform):
        raise ConfigurationError(
            f"the recipe {app.settings.recipe} packs a Python of this machine, for {platform}, and not for {wanted}",
            step="build it there; or take the recipe static, or slim or cython with a base, which can",
        )


def check_version(app: App, version: str, holder: str, step: str) -> None:
    """See that ``version``, the Python that ``holder`` brings along, is one that the app asks for.

    Raises :class:`ConfigurationError` where the setting or ``requires-python`` excludes it; ``step`` is a way to
    another Python.
    """
    wanted, requires = app.settings.python, app.metadata.requires_python
    if wanted is not None and "/" not in wanted and not f"{version}.".startswith(f"{wanted}."):
        raise ConfigurationError(
            f"python = {wanted!r}, but {holder} has Python {version}",
            evidence=f"[tool.cannery]  python = {wanted!r}",
            step=f"{step}, or leave the setting out: its own Python is used",
        )
    if not _specifiers(requires).contains(version, prereleases=True):
        raise ConfigurationError(
            f"the project asks for Python {requires}, and {holder} has Python {version}",
            evidence=f"requires-python = {requires!r}",
            step=f"{step}, or change requires-python",
        )


def _specifiers(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        what = f"requires-python = {text!r} is no version specifier"
        raise ConfigurationError(
            what, evidence=str(error), step='write it as in  requires-python = ">=3.11"'
        ) from error
