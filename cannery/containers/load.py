"""An image goes into an engine: what ``invoke image`` and ``invoke run`` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.containers.engine.engine import Loaded
from cannery.containers.engine.finding import answering, client_installed, connect
from cannery.containers.engine.present import holds
from cannery.errors import ImageError, MachineError
from cannery.image.image import image_of
from cannery.image.media.archive import write_archive, write_upper

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.containers.engine.engine import Engine
    from cannery.containers.engine.finding import Choice
    from cannery.image.image import Base, Image
    from cannery.workspace.workspace import Workspace

__all__ = ["BASES", "load", "load_base"]


BASES: Final = "cannery-base"  # what bases are called in engines, with their digest's beginning as the tag
_SHORT: Final = 12  # digits of an ID, as engines show them


def load(
    image: Image, references: tuple[str, ...], choice: Choice, archive: Path, workspace: Workspace
) -> Loaded | None:
    """Have ``image`` in the engine that ``choice`` means, under the names ``references``; None where there is none.

    Its archive is written first to the path ``archive``, if the engine needs it and it isn't there.
    """
    answer = answering(choice)
    if answer is None:
        return None
    if holds(answer.endpoint, image, references):
        return Loaded(str(answer), "present")
    if choice == "auto" and not client_installed():
        return Loaded(str(answer), "no client")
    engine = connect(answer)
    if engine.has(image, references):
        return Loaded(engine.name, "present")
    write_archive(image, archive, references, workspace)
    workspace.progress(f"loading the image into {engine.name}")
    if not _load_upper(engine, image, references, workspace):
        engine.load(image, archive, references)
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
