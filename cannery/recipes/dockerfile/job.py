"""What a Dockerfile is made from, and what of the app is copied in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.image.content import Inline, OnDisk
from cannery.project.app import HOME
from cannery.recipes.dockerfile.instructions import copy, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.image.tree import File
    from cannery.imports.model import Reach
    from cannery.project.app import App
    from cannery.recipes.dockerfile.base import NamedBase
    from cannery.recipes.dockerfile.install import Installed
    from cannery.trees.app import AppTree

__all__ = ["DockerfileJob", "copied_resources", "copies", "relative", "resources", "tops", "written_files"]


@dataclass(frozen=True)
class DockerfileJob:
    """What a Dockerfile is made from."""

    app: App
    own: AppTree
    base: NamedBase
    dependencies: Installed | None
    reached: Reach | None  # where the recipe asks for it

    @property
    def files(self) -> tuple[tuple[str, File], ...]:
        """The files of the app's code."""
        return tuple(self.own.code.tree.files())


def copies(files: Iterable[tuple[str, File]], app: App, below: str) -> str:
    """The instructions that copy the app's own files, each top level by itself."""
    return "".join(copy([top], f"{below}{top}") for top in tops(files, app))


def copied_resources(app: App, below: str) -> str:
    """The instructions that copy what the configuration names."""
    return "".join(copy([name], f"{below}{name}") for name in resources(app))


def resources(app: App) -> tuple[str, ...]:
    """Files and folders that the configuration names; a folder ends in a slash."""
    return tuple(
        f"{name.rstrip('/')}/" if (app.folder / name).is_dir() else name for name in map(str, app.settings.resources)
    )


def tops(files: Iterable[tuple[str, File]], app: App) -> Iterator[str]:
    """What lies at the top of the folders that imports start from: ``main.py``, ``src/package/``."""
    roots = sorted(app.image_roots, key=len, reverse=True)
    tops: dict[str, None] = {}
    for path, file in files:
        if isinstance(file.content, OnDisk) and path.startswith(f"{HOME}/"):
            root = next(root for root in roots if path.startswith(f"{root}/"))
            first, slash, _ = path.removeprefix(f"{root}/").partition("/")
            tops[relative(f"{root}/{first}{slash}")] = None
    yield from tops


def written_files(files: Iterable[tuple[str, File]], below: str) -> Iterator[str]:
    """The files that an installation would make, and no project has."""
    for path, file in files:
        if isinstance(file.content, Inline):
            yield written(below + path, file.content.data.decode(), executable=bool(file.mode & 0o100))


def relative(path: str) -> str:
    """Where a file of the image's /app lies in the project."""
    return path.removeprefix(f"{HOME}/")
