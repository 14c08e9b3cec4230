"""From an app to its running program: what ``invoke run`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.build import build
from cannery.engines.container import container_in
from cannery.engines.embedded import run_container
from cannery.engines.rootfs import rootfs
from cannery.report.progress import showing_progress
from cannery.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.app import App

__all__ = ["run_image"]


def run_image(app: App, arguments: Sequence[str]) -> int:
    """Build what has changed, run the image with ``arguments``, and return the program's exit code."""
    with showing_progress() as progress:
        workspace = Workspace.default(progress)
        image = build(app, workspace).image
        root = rootfs(image, workspace.cache)
    return run_container(container_in(root, image.config, arguments))
