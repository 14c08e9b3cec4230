"""An image goes into an engine: what ``invoke image`` and ``invoke run`` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.engines.engine import Loaded
from cannery.engines.finding import answering, client_installed, connect
from cannery.engines.present import holds
from cannery.sinks.archive import write_archive

if TYPE_CHECKING:
    from cannery.app import App
    from cannery.model import Image
    from cannery.workspace import Workspace

__all__ = ["load", "references_of"]


def references_of(app: App) -> tuple[str, ...]:
    """What the image of ``app`` is called: ``name:tag``."""
    return (f"{app.name}:{app.settings.tag}",)


def load(app: App, image: Image, workspace: Workspace) -> Loaded | None:
    """Have ``image`` in the engine that the settings mean; None where there is none.

    Its archive is written first, if the engine needs it and it isn't there.
    """
    answer = answering(app.settings.engine)
    if answer is None:
        return None
    references = references_of(app)
    if holds(answer.endpoint, image, references):
        return Loaded(str(answer), "present")
    if app.settings.engine == "auto" and not client_installed():
        return Loaded(str(answer), "no client")
    engine = connect(answer)
    if engine.has(image, references):
        return Loaded(engine.name, "present")
    write_archive(image, app.archive, references, workspace)
    workspace.progress(f"loading the image into {engine.name}")
    engine.load(image, app.archive, references)
    return Loaded(engine.name, "loaded")
