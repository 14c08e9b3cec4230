"""The cache that builds of one project share by way of a registry: where it is, and which records go into it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import structs

from cannery.errors import ConfigurationError, ImageError, RegistryError
from cannery.image.platform import Platform, machine_platform
from cannery.recipes.build import build
from cannery.recipes.platforms import for_each_platform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.image.layer import Layer
    from cannery.image.media.build_cache import BuildCache
    from cannery.project.app import App
    from cannery.recipes.plan import Built
    from cannery.workspace.workspace import Workspace

__all__ = ["NO_CACHE", "SharedBuild", "build_shared", "cache_tag"]

NO_CACHE: Final = "none"  # the setting's word for no cache

# Records whose keys are the same on every machine, and that would take the wheels, or much time, to make again.
_KINDS: Final = frozenset(
    {
        "certificates",
        "data-names",
        "dependencies",
        "distributions",
        "environment-data",
        "layer-contents",
        "layer-parts",
        "layers",
        "looked-for",
        "mentions",
        "needs",
        "raisers",
        "settled",
        "source-readers",
        "unprovided",
    }
)


class SharedBuild(msgspec.Struct, frozen=True):
    """An image that was built, and the cache that it shares."""

    built: Built
    cache: BuildCache | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user had better know of the cache."""
        return tuple(self.cache.notes) if self.cache else ()

    def fetch(self, layer: Layer, workspace: Workspace) -> None:
        """Bring the blob of ``layer`` here, if it's one that another machine has packed."""
        if self.cache is not None and not layer.is_present():
            self.cache.fetch(layer, workspace.cache)

    def leave(self, repository: str, workspace: Workspace) -> int:
        """Leave in ``repository``, where the image is, what builds of other machines can use; a refusal is noted.

        Returns how many bytes were sent for that.
        """
        if self.cache is None:
            return 0
        from cannery.image.media.registry import Registry  # noqa: PLC0415  # as above

        name = f"{repository}:{self.cache.registry.reference.tag}"
        try:
            with Registry(name, workspace.run) as registry:
                return self.cache.write(registry, self.built.image.layers)
        except RegistryError as error:
            reason = f"{error.what} ({error.evidence.partition(chr(10))[0]})"
            self.cache.notes.append(f"the image is pushed, but nothing for builds of other machines: {reason}")
            return 0


def build_shared(app: App, workspace: Workspace, own: Sequence[str] = ()) -> tuple[SharedBuild, ...]:
    """Build the images of ``app`` for each of its platforms, with the layers that the cache of the settings has.

    ``own`` are the repositories that the image goes to, the first of which is the cache where the settings name none.
    Layers of others have no blob here. Raises :class:`RegistryError` where one of ``own`` can't be reached.
    """
    return tuple(_built(each, workspace, own) for each in for_each_platform(app))


def _built(app: App, workspace: Workspace, own: Sequence[str]) -> SharedBuild:
    named = app.settings.cache_from
    source = named or next(iter(own), None)
    if source in {None, NO_CACHE}:
        return SharedBuild(build(app, workspace), None)
    from cannery.image.media.build_cache import BuildCache  # noqa: PLC0415  # most builds share nothing
    from cannery.image.media.registry import Registry  # noqa: PLC0415
    from cannery.image.registry.reference import Reference  # noqa: PLC0415

    where = Reference.parse(source)
    if where.digest is not None:
        raise ConfigurationError(f"cache-from = {source!r} names a digest", step="name the repository alone")
    registry = Registry(f"{where.registry}/{where.repository}:{cache_tag(app)}", workspace.run)
    shared = BuildCache(registry, _KINDS, needed=named is None, progress=workspace.progress)
    try:
        return _built_with(shared, app, workspace)
    except (ImageError, LookupError, TypeError, ValueError, AttributeError) as error:
        # Whoever may write to the repository wrote the records. What is no fault of theirs is raised again.
        return _built_with(shared.emptied(error), app, workspace)


def _built_with(shared: BuildCache, app: App, workspace: Workspace) -> SharedBuild:
    cache = replace(workspace.cache, shared=shared)
    return SharedBuild(build(app, structs.replace(workspace, cache=cache)), shared)


def cache_tag(app: App) -> str:
    """The tag of the cache for builds of ``app``, by its recipe and platform: others have other layers."""
    named = app.settings.one_platform
    platform = Platform.parse(named) if named else machine_platform()
    return f"cannery-cache-{app.settings.recipe}-{platform}".replace("/", "-")
