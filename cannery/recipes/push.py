"""From an app to its image in a registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from cannery.errors import ConfigurationError, RegistryError
from cannery.image.media.registry import Registry
from cannery.image.registry.reference import DOCKER_HUB, Reference
from cannery.recipes.build import whole
from cannery.recipes.shared_cache import build_shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.image.image import Image, ImageIndex
    from cannery.image.layer import Layer
    from cannery.image.registry.push import Pushed
    from cannery.project.app import App
    from cannery.recipes.attest import Attached, Prepared
    from cannery.recipes.plan import Built
    from cannery.recipes.shared_cache import SharedBuild
    from cannery.workspace.digest import Digest
    from cannery.workspace.workspace import Workspace

__all__ = [
    "PushedImage",
    "Target",
    "built_for",
    "push_image",
    "pushed_before",
    "send_image",
    "targets",
    "with_registry",
]


@dataclass(frozen=True, slots=True)
class PushedImage:
    """An image that was built and pushed, once for each repository."""

    app: App
    builds: tuple[SharedBuild, ...]  # for each platform
    pushed: tuple[Pushed, ...]
    bytes_for_others: int  # that were sent for builds of other machines
    dry: bool  # nothing was sent: this is what would be
    attached: tuple[Attached, ...] = ()  # to the images, in each repository
    notes_on_origin: tuple[str, ...] = ()  # why nobody can prove what was attached

    @property
    def image(self) -> Image | ImageIndex:
        """The image, or the index of several."""
        return whole(self.each)

    @property
    def each(self) -> tuple[Built, ...]:
        """The images that were built, for each platform."""
        return tuple(each.built for each in self.builds)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user had better know, each once."""
        of_builds = (note for each in self.builds for note in (*each.built.notes, *each.notes))
        return tuple(dict.fromkeys((*of_builds, *self.notes_on_origin)))


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
        step=f'name one:  --repository ghcr.io/TEAM/{app.name}  or  --registry ghcr.io/TEAM  or  repository = "…"',
    )


def with_registry(app: App, registry: str | None) -> App:
    """``app``, which goes to ``registry`` by its name where its settings name no repository."""
    if registry is None or app.settings.repository or Reference.parse(app.name).registry != DOCKER_HUB:
        return app
    repository = f"{registry.rstrip('/')}/{app.name}"
    return replace(app, settings=msgspec.structs.replace(app.settings, repository=repository))


def push_image(
    app: App, where: Sequence[Target], workspace: Workspace, *, dry: bool = False, update_index: bool = False
) -> PushedImage:
    """Build the image of ``app``, and push it to each of ``where``; ``dry``, only see what would be sent.

    With ``update_index`` it's added to the images of other platforms that the tags lead to.
    Raises :class:`RegistryError` where a registry refuses; no tag leads to an image that isn't whole then.
    """
    return send_image(app, built_for(app, where, workspace), where, workspace, dry=dry, update_index=update_index)


def built_for(app: App, where: Sequence[Target], workspace: Workspace) -> tuple[SharedBuild, ...]:
    """The images of ``app`` for its platforms, built with the layers that the repositories of ``where`` have.

    Raises :class:`ConfigurationError` before that where the key that is to sign them can't be read.
    """
    if _says_something(app):
        from cannery.recipes.attest import wishes_of  # noqa: PLC0415  # most images are pushed and no more

        wishes_of(app)
    return build_shared(app, workspace, [target.repository for target in where])


def send_image(
    app: App,
    builds: tuple[SharedBuild, ...],
    where: Sequence[Target],
    workspace: Workspace,
    *,
    dry: bool = False,
    update_index: bool = False,
    places: dict[Digest, str] | None = None,
    before: tuple[Pushed, ...] | None = None,
) -> PushedImage:
    """Push what was built of ``app`` as :func:`push_image` does.

    ``places`` are the repositories that blobs were pushed to before, from where they are taken; this push adds its own.
    ``before`` is what :func:`pushed_before` has found, and then no image is sent.
    """
    about: tuple[Prepared, ...] = ()
    notes: tuple[str, ...] = ()
    if _says_something(app) and not dry:
        from cannery.recipes.attest import attach_to, prepared  # noqa: PLC0415

        about, notes = prepared(app, builds, whole([each.built for each in builds]).descriptor, workspace)
    pushed = before or tuple(_pushed(builds, where, workspace, places or {}, dry=dry, update_index=update_index))
    attached = attach_to(where, about, workspace) if about else ()
    repositories = () if dry else [target.repository for target in where]
    left = sum(each.leave(repository, workspace) for repository in repositories for each in builds)
    if places is not None and not dry:
        places.update({sent.blob.digest: str(each.reference) for each in pushed for sent in each.blobs})
    return PushedImage(app, builds, pushed, left, dry, attached, notes)


def pushed_before(
    app: App, builds: Sequence[SharedBuild], where: Sequence[Target], workspace: Workspace
) -> tuple[Pushed, ...] | None:
    """What is known of each of ``where`` where all tags lead to the image that was built; None where one doesn't.

    None, too, where something is to be attached to the image, or a registry can't be asked: pushing tells why.
    """
    if _says_something(app):
        return None
    image = whole([each.built for each in builds])
    found = []
    try:
        for target in where:
            with Registry(target.repository, workspace.run) as registry:
                found.append(registry.pushed_before(image, target.tags))
    except RegistryError:
        return None
    return None if None in found else tuple(filter(None, found))


def _says_something(app: App) -> bool:
    """True where something is to be attached to the image."""
    settings = app.settings
    return settings.attest or any(each is not None for each in (settings.sign, settings.signer, settings.vex))


def _pushed(
    builds: Sequence[SharedBuild],
    where: Sequence[Target],
    workspace: Workspace,
    places: Mapping[Digest, str],
    *,
    dry: bool,
    update_index: bool,
) -> Iterator[Pushed]:
    bases = (each.built.base.reference for each in builds if each.built.base)
    caches = (each.cache.registry.name for each in builds if each.cache)
    mounts = tuple(dict.fromkeys(filter(None, (*bases, *caches))))
    image = whole([each.built for each in builds])

    def lacking(layer: Layer) -> None:
        for each in builds:
            if layer in each.built.image.layers:
                each.fetch(layer, workspace)

    for target in where:
        with Registry(target.repository, workspace.run) as registry:
            yield registry.push(
                image,
                target.tags,
                mounts=mounts,
                places=places,
                dry=dry,
                update_index=update_index,
                lacking=lacking,
                progress=workspace.progress,
            )
