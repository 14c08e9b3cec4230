"""Images loaded into an engine, as ``invoke image``, ``run`` and ``explore`` do it."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from cannery.containers.engine.discovery import answering, client_installed, connect
from cannery.containers.engine.image_ids import holds
from cannery.errors import ImageError, MachineError
from cannery.image.image import image_of
from cannery.image.media.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.containers.engine.discovery import Choice
    from cannery.containers.engine.engine import Engine
    from cannery.image.image import Base, Image
    from cannery.workspace.workspace import Workspace

__all__ = ["BASES", "Loaded", "load", "load_base"]


BASES: Final = "cannery-base"  # the name of bases in engines; the tag is the beginning of their digest
_SHORT: Final = 12  # digits of an ID that engines show


class Loaded(msgspec.Struct, frozen=True):
    """The outcome of loading an image into an engine."""

    engine: str  # "Docker 20.10.24"
    state: Literal["loaded", "present", "no client"]  # present: it was there; no client: cannery[docker] is missing


def load(
    image: Image, references: tuple[str, ...], choice: Choice, workspace: Workspace, archive: Path | None = None
) -> Loaded | None:
    """Load ``image``, called ``references``, into the engine that ``choice`` means; None where no engine answers.

    An engine that lacks the image is sent ``archive``, which holds it, or else an archive that is gone afterwards.
    Raises :class:`MachineError` where the engine refuses or doesn't answer, :class:`ToolError` where its client is
    missing, :class:`ImageError` where another image has the name afterwards.
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
    workspace.progress(f"loading the image into {engine.name}")
    if not _load_upper(engine, image, references, workspace):
        with nullcontext(archive) if archive else _archived(image, references, workspace) as whole:
            workspace.progress(f"loading the image into {engine.name}")
            engine.load(image, whole, references)
    return Loaded(engine.name, "loaded")


def _load_upper(engine: Engine, image: Image, references: tuple[str, ...], workspace: Workspace) -> bool:
    """Send only the layers that the image called ``references[0]`` in ``engine`` lacks; False where that fails."""
    shared = engine.shared(image, references[0])
    if not shared:
        return False
    from cannery.image.media.docker_archive import DockerArchive  # noqa: PLC0415  # not needed when nothing has changed

    with workspace.cache.scratch() as folder:
        DockerArchive(folder / "upper.tar").write(image, references, lower=shared)
        try:
            engine.load(image, folder / "upper.tar", references)
        except (ImageError, MachineError):
            return False  # containerd's store wants every layer; any other reason will stop the whole image, too
    return True


def load_base(engine: Engine, base: Base, workspace: Workspace) -> str:
    """Load ``base`` into ``engine`` under a name made of its digest, and return that name."""
    image = image_of(base)
    reference = f"{BASES}:{image.digest.hex[:_SHORT]}"
    if not engine.has(image, (reference,)):
        with _archived(image, (reference,), workspace) as archive:
            workspace.progress(f"loading the base into {engine.name}")
            engine.load(image, archive, (reference,))
    return reference


@contextmanager
def _archived(image: Image, references: tuple[str, ...], workspace: Workspace) -> Iterator[Path]:
    """An archive of ``image`` in the cache, which is gone at the end of the block."""
    with workspace.cache.scratch() as folder:
        Archive(folder / "image.tar").write(image, references, progress=workspace.progress)
        yield folder / "image.tar"
