"""The Python that goes into an image from scratch: this machine's, a distribution's, or that of another image."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError
from cannery.image.platform import Platform, machine_platform
from cannery.project.interpreter import interpreter_for

if TYPE_CHECKING:
    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["MACHINE_RUNTIME", "packed_python", "runtime_of"]

MACHINE_RUNTIME: Final = "machine"


def packed_python(app: App, workspace: Workspace) -> Interpreter:
    """The Python that goes into the image of ``app``, for the platform that its settings ask for.

    Raises :class:`RuntimeTreeError` where it can't be had, :class:`ConfigurationError` where the project excludes it.
    """
    runtime = runtime_of(app)
    if runtime != MACHINE_RUNTIME:
        from cannery.trees.fetched_python import fetched_python  # noqa: PLC0415  # most take this machine's

        return fetched_python(runtime, app, workspace)
    python = interpreter_for(app, workspace)
    wanted = app.settings.one_platform
    if wanted is not None and not Platform.parse(wanted).agrees(python.platform):
        raise ConfigurationError(
            f'runtime = "machine" is a Python for {python.platform}, and the image shall be for {wanted}',
            step='leave runtime out, or take it from packages:  [tool.cannery]  runtime = "debian:trixie"',
        )
    return python


def runtime_of(app: App) -> str:
    """Where the Python of ``app`` comes from: the setting ``runtime``, or what it stands for where it isn't set.

    That is this machine where it's one for Linux and of the platform that is asked for, and else the distribution
    whose own Python is of the version that the project wants, or that runs cannery. Raises :class:`RuntimeTreeError`
    where none is.
    """
    if app.settings.runtime is not None:
        return app.settings.runtime
    wanted = app.settings.one_platform
    if sys.platform == "linux" and (wanted is None or Platform.parse(wanted).agrees(machine_platform())):
        return MACHINE_RUNTIME
    from cannery.trees.fetched_python import usual_suite  # noqa: PLC0415  # most take this machine's

    return str(usual_suite(app))
