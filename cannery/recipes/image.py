"""From an app to its image in an archive: what ``invoke image`` and ``invoke run`` have in common."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cannery.containers.load import load, references_of
from cannery.image.media.archive import write_archive
from cannery.recipes.build import build
from cannery.tasks.report.image import ImageReport
from cannery.tasks.report.progress import showing_progress
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from cannery.project.app import App

__all__ = ["make_image"]


def make_image(app: App, *, quiet: bool = False, refresh: bool = False) -> ImageReport:
    """Build the image of ``app`` and write its archive; ``quiet`` shows no progress."""
    began = time.perf_counter()
    references = references_of(app)
    with showing_progress(quiet=quiet) as progress:
        workspace = Workspace.default(progress, refresh=refresh)
        built = build(app, workspace)
        written = write_archive(built.image, app.archive, references, workspace)
        loaded = load(app, built.image, workspace)
    seconds = time.perf_counter() - began
    engine = (loaded.engine, loaded.state) if loaded else None
    return ImageReport(app, built, references, app.archive, written, seconds, built.notes, engine)
