"""From an app to its image in an archive, and in the engine that answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from cannery.containers.load import load
from cannery.errors import ConfigurationError
from cannery.image.media.archive import Archive
from cannery.image.platform import machine_platform
from cannery.recipes.build import whole
from cannery.recipes.shared_cache import build_shared
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from cannery.containers.load import Loaded
    from cannery.image.image import Image, ImageIndex
    from cannery.project.app import App
    from cannery.recipes.plan import Built
    from cannery.workspace.workspace import Workspace

__all__ = ["MadeImage", "check_unpacking", "make_image", "unpack_image"]


class MadeImage(msgspec.Struct, frozen=True):
    """An image that was built, and its places."""

    app: App
    each: tuple[Built, ...]  # for each platform, in the order of the settings
    written: bool  # its archive, now; False where it was there as it should be
    notes_on_cache: tuple[str, ...]  # that it was built with
    loaded: Loaded | None  # None where no engine answers, or none of the images is for this machine

    @property
    def built(self) -> Built:
        """The first image, or the only one."""
        return self.each[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user had better know, each once."""
        return tuple(dict.fromkeys((*(note for built in self.each for note in built.notes), *self.notes_on_cache)))

    @property
    def here(self) -> Built | None:
        """The image for this machine; None where there is none."""
        here = machine_platform()
        return next((built for built in self.each if built.image.platform.runs_on(here)), None)

    @property
    def image(self) -> Image | ImageIndex:
        """The image, or the index of several."""
        return whole(self.each)


def make_image(app: App, workspace: Workspace) -> MadeImage:
    """Build the images of ``app``, write their archive, and load the one for this machine where an engine answers.

    A single image is loaded whatever its platform is.
    """
    builds = build_shared(app, workspace)
    for shared in builds:
        for layer in shared.built.image.layers:
            shared.fetch(layer, workspace)
    each = tuple(shared.built for shared in builds)
    written = Archive(app.archive).write(
        whole(each), app.references, memory=workspace.cache, progress=workspace.progress
    )
    notes = tuple(note for shared in builds for note in shared.notes)
    made = MadeImage(each[0].app, each, written, notes, None)
    loadable = made.here if len(each) > 1 else made.built
    archive = app.archive if len(each) == 1 else None  # engines read the others of an index, too
    if loadable is None:
        return made
    return replace(made, loaded=load(loadable.image, app.references, app.settings.engine, workspace, archive))


def check_unpacking(app: App, folder: Path) -> None:
    """Raise :class:`ConfigurationError`, before anything is built, where :func:`unpack_image` has no place for it."""
    if len(platforms := app.settings.platforms) > 1:
        raise ConfigurationError("--unpack is for one platform", step=f"name one:  --platform {platforms[0]}")
    if folder.is_symlink() or folder.exists():
        raise ConfigurationError(f"{folder} is there already", step="name a folder for --unpack that isn't there yet")


def unpack_image(made: MadeImage, folder: Path) -> None:
    """Unpack the files of the image that was ``made`` into the new ``folder``, whole or not at all."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415  # slow to import, and seldom asked for

    from cannery.image.extraction import unpack  # noqa: PLC0415  # as above

    with explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
            root = Path(beside, "root")
            root.mkdir()
            unpack(made.built.image.layers, root)
            root.rename(folder)
