"""From an app to its image in an archive, and in the engine that answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.containers.load import load
from cannery.image.media.archive import Archive
from cannery.recipes.build import build

if TYPE_CHECKING:
    from cannery.containers.load import Loaded
    from cannery.project.app import App
    from cannery.recipes.plan import Built
    from cannery.workspace.workspace import Workspace

__all__ = ["MadeImage", "make_image"]


@dataclass(frozen=True, slots=True)
class MadeImage:
    """An image that was built, and its places."""

    app: App
    built: Built
    written: bool  # its archive, now; False where it was there as it should be
    loaded: Loaded | None  # None where no engine answers


def make_image(app: App, workspace: Workspace) -> MadeImage:
    """Build the image of ``app``, write its archive, and load it into the engine that answers."""
    built = build(app, workspace)
    written = Archive(app.archive).write(
        built.image, app.references, memory=workspace.cache, progress=workspace.progress
    )
    loaded = load(built.image, app.references, app.settings.engine, workspace, app.archive)
    return MadeImage(built.app, built, written, loaded)
