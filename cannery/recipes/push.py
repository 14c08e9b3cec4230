"""From an app to its image in a registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.image.media.registry import Registry
from cannery.image.registry.reference import DOCKER_HUB, Reference
from cannery.recipes.build import build_each, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.image.image import Image, ImageIndex
    from cannery.image.registry.push import Pushed
    from cannery.project.app import App
    from cannery.recipes.plan import Built
    from cannery.workspace.workspace import Workspace

__all__ = ["PushedImage", "Target", "push_image", "targets"]


@dataclass(frozen=True, slots=True)
class PushedImage:
    """An image that was built and pushed, once for each repository."""

    app: App
    each: tuple[Built, ...]  # for each platform
    pushed: tuple[Pushed, ...]
    dry: bool  # nothing was sent: this is what would be

    @property
    def image(self) -> Image | ImageIndex:
        """The image, or the index of several."""
        return whole(self.each)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user had better know, each once."""
        return tuple(dict.fromkeys(note for built in self.each for note in built.notes))


@dataclass(frozen=True, slots=True)
class Target:
    """A repository, and the tags in it that are to lead to the image."""

    repository: str  # with its registry: ghcr.io/team/app
    tags: tuple[str, ...]


def targets(app: App, references: Sequence[str] = ()) -> tuple[Target, ...]:
    """The places that ``references`` name, or else the settings: a repository once, with all of its tags.

    Raises :class:`ConfigurationError` where nothing names one, or a reference has a digest.
    """
    settings = app.settings
    named = references or tuple(f"{_repository(app)}:{tag}" for tag in dict.fromkeys((settings.tag, *settings.tags)))
    found: dict[str, list[str]] = {}
    for text in named:
        reference = Reference.parse(text)
        if reference.digest is not None:
            step = "leave the digest out: it follows from the image"
            raise ConfigurationError(f"{text} names a digest, and a push makes one", step=step)
        found.setdefault(f"{reference.registry}/{reference.repository}", []).append(reference.tag)
    return tuple(Target(repository, tuple(dict.fromkeys(tags))) for repository, tags in found.items())


def _repository(app: App) -> str:
    """The repository that the settings name: ``repository``, or a ``name`` that begins with a registry."""
    if app.settings.repository:
        return app.settings.repository
    reference = Reference.parse(app.name)
    if reference.registry != DOCKER_HUB:
        return app.name
    raise ConfigurationError(
        "nothing says where to push the image",
        evidence=f"its name is {app.name}, which has no registry, and there is no setting repository",
        step=f'name a repository:  --repository ghcr.io/TEAM/{app.name}  or  [tool.cannery]  repository = "…"',
    )


def push_image(app: App, where: Sequence[Target], workspace: Workspace, *, dry: bool = False) -> PushedImage:
    """Build the image of ``app``, and push it to each of ``where``; ``dry``, only see what would be sent.

    Raises :class:`RegistryError` where a registry refuses; no tag leads to an image that isn't whole then.
    """
    each = build_each(app, workspace)
    return PushedImage(app, each, tuple(_pushed(each, where, workspace, dry=dry)), dry)


def _pushed(each: Sequence[Built], where: Sequence[Target], workspace: Workspace, *, dry: bool) -> Iterator[Pushed]:
    bases = (built.base.reference for built in each if built.base)
    mounts = tuple(dict.fromkeys(filter(None, bases)))
    image = whole(each)
    for target in where:
        with Registry(target.repository, workspace.run) as registry:
            yield registry.push(image, target.tags, mounts=mounts, dry=dry, progress=workspace.progress)
