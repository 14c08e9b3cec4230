"""An image goes into an engine: what ``invoke image`` and ``invoke run`` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.containers.engine.engine import Loaded
from cannery.containers.engine.finding import answering, client_installed, connect
from cannery.containers.engine.present import holds
from cannery.errors import ImageError, MachineError
from cannery.image.image import assemble
from cannery.image.media.archive import write_archive, write_upper
from cannery.image.tree import Plan

if TYPE_CHECKING:
    from cannery.containers.engine.engine import Engine
    from cannery.image.tree import Base, Image
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["BASES", "image_of", "load", "load_base", "references_of"]


BASES: Final = "cannery-base"  # what bases are called in engines, with their digest's beginning as the tag
_SHORT: Final = 12  # digits of an ID, as engines show them


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
    if not _load_upper(engine, image, references, workspace):
        engine.load(image, app.archive, references)
    return Loaded(engine.name, "loaded")


def _load_upper(engine: Engine, image: Image, references: tuple[str, ...], workspace: Workspace) -> bool:
    """Send what the image of that name in ``engine`` doesn't have; False where that won't do."""
    shared = engine.shared(image, references[0])
    if not shared:
        return False
    with workspace.cache.scratch() as folder:
        write_upper(image, folder / "upper.tar", references, shared)
        try:
            engine.load(image, folder / "upper.tar", references)
        except (ImageError, MachineError):
            return False  # some ways to store images want every layer; else the whole image meets the same error
    return True


def image_of(base: Base) -> Image:
    """The image that consists of ``base`` alone."""
    return assemble(Plan((), base.config.get("config") or {}, base.platform, base=base), ())


def load_base(engine: Engine, base: Base, workspace: Workspace) -> str:
    """Have ``base`` in ``engine``, under a name that no other image has; return it."""
    image = image_of(base)
    reference = f"{BASES}:{image.digest.hex[:_SHORT]}"
    if not engine.has(image, (reference,)):
        with workspace.cache.scratch() as folder:
            archive = folder / "base.tar"
            write_archive(image, archive, (reference,), workspace)
            workspace.progress(f"loading the base into {engine.name}")
            engine.load(image, archive, (reference,))
    return reference
