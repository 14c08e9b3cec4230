"""``invoke run``: the image, run by an engine, or where none is there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import CommandLine, command, words_behind
from cannery.tasks.project import app_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.project.app import App

__all__ = ["run"]


@command(*BUILD_FLAGS)
def run(line: CommandLine) -> None:
    """Run the image: invoke run -- ARGS.

    Builds it first where something has changed. Docker or Podman runs it where one answers, its ports published on
    127.0.0.1; otherwise it runs in namespaces of its own over the unpacked image, with the machine's network. Either
    way it's read-only, with no capabilities, as the image's user; exit code and signals are the program's.
    """
    code = _run(app_of(line), words_behind(line))
    if code:
        sys.exit(code)


def _run(app: App, arguments: Sequence[str]) -> int:
    """Build what has changed, run the image with ``arguments``, and return the program's exit code."""
    from cannery.containers.engine.discovery import find_engine  # noqa: PLC0415
    from cannery.containers.engine.engine import ContainerRequest, needs_executable_tmp  # noqa: PLC0415
    from cannery.containers.load import load  # noqa: PLC0415
    from cannery.containers.sandbox.container import container_in  # noqa: PLC0415
    from cannery.containers.sandbox.rootfs import rootfs  # noqa: PLC0415
    from cannery.containers.sandbox.runner import run_container  # noqa: PLC0415
    from cannery.recipes.build import build  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    settings, references = app.settings, app.references
    with shown_workspace() as workspace:
        image = build(app, workspace).image
        engine = find_engine(settings.engine)
        if engine is None:
            root = rootfs(image, workspace.cache)
        else:
            load(image, references, settings.engine, workspace)
    if engine is None:
        return run_container(container_in(root, image.config, arguments))
    return engine.run(
        ContainerRequest(
            "run",
            references[0],
            tuple(arguments),
            ports=settings.ports,
            scratch=settings.volumes,
            executable_tmp=needs_executable_tmp(image),
        )
    )
