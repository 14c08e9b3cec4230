"""``invoke run``: the image, run by an engine, or where none is there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import CommandLine, command, words_behind
from cannery.tasks.project import app_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cannery.project.app import App
    from cannery.recipes.plan import Built

__all__ = ["run"]


@command(
    *BUILD_FLAGS, help={"command": "Which of the image's other commands to run, as [tool.cannery] commands names it."}
)
def run(line: CommandLine, command: str | None = None) -> None:
    """Run the image, and pass it what follows --.

    Builds it first if something has changed. Docker or Podman runs it if one is running, with its ports published on
    127.0.0.1. Otherwise cannery runs it, with the machine's network. Either way its files are read-only, it has no
    capabilities, and it runs as the image's user. The exit code is the program's, and signals reach it.
    """
    code = _run(app_of(line), command, words_behind(line))
    if code:
        sys.exit(code)


def _run(app: App, name: str | None, arguments: Sequence[str]) -> int:
    """Build what has changed, run the image's command ``name`` with ``arguments``, and return the exit code."""
    from cannery.containers.engine.discovery import find_engine  # noqa: PLC0415
    from cannery.containers.engine.engine import ContainerRequest  # noqa: PLC0415
    from cannery.containers.load import load  # noqa: PLC0415
    from cannery.containers.needs import limits_for, needs_executable_tmp  # noqa: PLC0415
    from cannery.containers.sandbox.container import container_in  # noqa: PLC0415
    from cannery.containers.sandbox.rootfs import rootfs  # noqa: PLC0415
    from cannery.containers.sandbox.runner import run_container  # noqa: PLC0415
    from cannery.recipes.build import build, mending  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    settings, references = app.settings, app.references
    program = None if name is None else _program(app, name)
    with shown_workspace() as workspace:
        engine = find_engine(settings.engine)

        def unpacked() -> tuple[Built, Path]:
            built = build(app, workspace)
            return built, rootfs(built.image, workspace.cache)

        def loaded() -> Built:
            built = build(app, workspace)
            load(built.image, references, settings.engine, workspace)
            return built

        if engine is None:
            built, root = mending(unpacked, workspace)
        else:
            built = mending(loaded, workspace)
        image = built.image
        limits = limits_for(image, settings.limits)
    if engine is None:
        return run_container(container_in(root, image.config, arguments, program, limits=limits))
    return engine.run(
        ContainerRequest(
            "run",
            references[0],
            tuple(arguments),
            None if program is None else (program,),
            ports=built.app.ports,
            scratch=settings.volumes,
            executable_tmp=needs_executable_tmp(image),
            limits=limits,
        )
    )


def _program(app: App, name: str) -> str:
    """The path of the command ``name``; raises :class:`ConfigurationError` where the app has none of that name."""
    from cannery.errors import ConfigurationError, did_you_mean  # noqa: PLC0415
    from cannery.project.app import PLACE  # noqa: PLC0415
    from cannery.trees.scripts import command_names  # noqa: PLC0415

    names = command_names(app)
    if name not in names:
        raise ConfigurationError(
            f"the app has no command {name!r}",
            evidence=did_you_mean(name, names),
            step=f"commands are: {', '.join(names)}" if names else "name it in  [tool.cannery]  commands",
        )
    return f"{PLACE}/{name}"
