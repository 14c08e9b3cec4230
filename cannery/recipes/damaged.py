"""A blob in a registry that isn't what its digest says: which file of its layer was changed."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from cannery.difference.damage import damage_of
from cannery.errors import CanneryError, ImageError
from cannery.image.content import OnDisk
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cannery.image.media.medium import Descriptor, Medium
    from cannery.recipes.rebuild import Rebuilt
    from cannery.workspace.workspace import Workspace

    Again = Callable[[], AbstractContextManager[Rebuilt]]  # builds the image once more

__all__ = ["located"]


def located(
    error: ImageError, medium: Medium, blob: Descriptor, again: Again | None, workspace: Workspace
) -> ImageError:
    """``error``, which says that ``blob`` isn't what its digest says, with the file that differs, if that can be told.

    It's compared with the one that an earlier build or pull has left here, or else with what is built ``again``.
    """
    try:
        with _right(blob.digest, again, workspace) as right, medium.blob(blob) as there:
            told = damage_of(right, there) if right is not None else ""
    except CanneryError:  # neither can it be built: it's no less damaged
        return error
    return ImageError(error.what, evidence="\n".join(filter(None, (error.evidence, told))), step=error.step)


@contextmanager
def _right(digest: Digest, again: Again | None, workspace: Workspace) -> Iterator[Path | None]:
    """The file of the blob that has ``digest``; None where it can't be had."""
    here = workspace.cache.blob(digest)
    if here.is_file() and Digest.of_content(OnDisk(here, here.stat().st_size)) == digest:
        yield here
        return
    with again() if again else nullcontext() as made:
        images = made.images if made else ()
        yield next((layer.blob for image in images for layer in image.layers if layer.digest == digest), None)
