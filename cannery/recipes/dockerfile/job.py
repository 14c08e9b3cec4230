"""The input of a Dockerfile, and the instructions that copy the app's files."""

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

__all__ = ["DockerfileJob", "copied_resources", "copies", "relative", "tops", "written_files"]


@dataclass(frozen=True)
class DockerfileJob:
    """The input of a Dockerfile: an app, the base, and what is known of the app's files and dependencies."""

    app: App
    own: AppTree
    base: NamedBase
    dependencies: Installed | None
    reached: Reach | None  # the modules that the app imports; None where the recipe doesn't ask for them

    @property
    def files(self) -> tuple[tuple[str, File], ...]:
        """The files of the app's code."""
        return tuple(self.own.code.tree.files())


def copies(files: Iterable[tuple[str, File]], app: App, below: str) -> str:
    """The instructions that copy the app's own files, each top level by itself."""
    return "".join(copy([top], f"{below}{top}") for top in tops(files, app))


def copied_resources(own: AppTree, below: str) -> str:
    """The instructions that copy the resources, which the configuration, the code or a convention names."""
    return "".join(copy([name], f"{below}{name}") for name in own.resource_names)


def tops(files: Iterable[tuple[str, File]], app: App) -> Iterator[str]:
    """The top-level modules and packages among ``files``, as paths of the project: ``main.py``, ``src/package/``."""
    roots = sorted(app.image_roots, key=len, reverse=True)
    tops: dict[str, None] = {}
    for path, file in files:
        if isinstance(file.content, OnDisk) and path.startswith(f"{HOME}/"):
            root = next(root for root in roots if path.startswith(f"{root}/"))
            first, slash, _ = path.removeprefix(f"{root}/").partition("/")
            tops[relative(f"{root}/{first}{slash}")] = None
    yield from tops


def written_files(files: Iterable[tuple[str, File]], below: str) -> Iterator[str]:
    """The instructions that write the files which an installation would make, such as METADATA."""
    for path, file in files:
        if isinstance(file.content, Inline):
            yield written(below + path, file.content.data.decode(), executable=bool(file.mode & 0o100))


def relative(path: str) -> str:
    """The path in the project of a file that lies below ``/app`` in the image."""
    return path.removeprefix(f"{HOME}/")
