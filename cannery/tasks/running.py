"""From an app to its running program: what ``invoke run`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.containers.engine.engine import Job
from cannery.containers.engine.finding import find_engine
from cannery.containers.load import load, references_of
from cannery.containers.sandbox.container import container_in
from cannery.containers.sandbox.embedded import run_container
from cannery.containers.sandbox.rootfs import rootfs
from cannery.recipes.build import build
from cannery.tasks.report.progress import showing_progress
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.project.app import App

__all__ = ["run_image"]


def run_image(app: App, arguments: Sequence[str]) -> int:
    """Build what has changed, run the image with ``arguments``, and return the program's exit code."""
    with showing_progress() as progress:
        workspace = Workspace.default(progress)
        image = build(app, workspace).image
        engine = find_engine(app.settings.engine)
        if engine is None:
            root = rootfs(image, workspace.cache)
        else:
            load(app, image, workspace)
    if engine is None:
        return run_container(container_in(root, image.config, arguments))
    return engine.run(_job(app, arguments))


def _job(app: App, arguments: Sequence[str]) -> Job:
    settings = app.settings
    return Job("run", references_of(app)[0], tuple(arguments), ports=settings.ports, scratch=settings.volumes)
