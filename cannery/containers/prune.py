"""What can be removed: containers and images that cannery made, and the part of its cache beyond a size.

A container is cannery's by its label, which only cannery's tasks give. An image is cannery's by its label and its last
layer: labels alone pass on to what others build from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cannery.containers.engine.engine import IMAGE_LABEL, TASK_LABEL
from cannery.containers.load import BASES
from cannery.workspace.eviction import evict, evictable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cannery.containers.engine.engine import Engine, EngineContainer, StoredImage
    from cannery.workspace.cache import Cache

__all__ = ["Removal", "Scope", "own_images", "removals"]

_BASE = re.compile(rf"(?:docker\.io/library/|localhost/)?{BASES}:")  # Podman writes names out
_SHORT = 12  # digits of an ID, as engines show them


@dataclass(frozen=True, slots=True)
class Scope:
    """The limits of what is removed."""

    keep: int  # bytes of the cache that stay
    running: bool = False  # cannery's running containers go, too
    everything: bool = False  # whatever the engine has and nothing uses goes, whoever made it


@dataclass(frozen=True, slots=True)
class Removal:
    """Something to remove."""

    kind: str  # container, image …
    name: str
    size: int  # bytes that come free
    remove: Callable[[], object]  # removes it


def removals(engine: Engine | None, cache: Cache, scope: Scope) -> tuple[Removal, ...]:
    """All that can be removed within ``scope``, in the order in which it can go; ``engine`` is None without one."""
    found: list[Removal] = []
    if engine is not None:
        containers = engine.containers(sizes=True)
        doomed = tuple(container for container in containers if _goes(container, scope))
        found += [_container(engine, container) for container in doomed]
        used = {container.image_id for container in containers if container not in doomed}
        found += _images(engine, used, scope)
        if scope.everything:
            found.append(Removal("rest", "build cache and networks", engine.build_cache(), engine.prune_rest))
    found += [
        Removal("cache", str(entry.path.relative_to(cache.root.parent)), entry.size, partial(evict, entry))
        for entry in evictable(cache, scope.keep)
    ]
    return tuple(found)


def own_images(engine: Engine) -> tuple[StoredImage, ...]:
    """The images that cannery built; those that others built on one of them are not among them."""
    return tuple(image for image in engine.images(label=IMAGE_LABEL) if engine.built_here(image.id))


def _goes(container: EngineContainer, scope: Scope) -> bool:
    own = TASK_LABEL in container.labels
    return (own and scope.running) if container.running else (own or scope.everything)


def _container(engine: Engine, container: EngineContainer) -> Removal:
    kind = "running container" if container.running else "container"
    return Removal(kind, container.name, container.size, partial(_remove_container, engine, container))


def _remove_container(engine: Engine, container: EngineContainer) -> None:
    if container.running:
        engine.stop(container.id)
    engine.remove_container(container.id)


def _images(engine: Engine, used: set[str], scope: Scope) -> Iterator[Removal]:
    """The images that none of ``used`` needs, each with the bytes that it frees once those before it are gone."""
    images = engine.images()
    if scope.everything:
        doomed = [image for image in images if image.id not in used]
    else:
        doomed = [image for image in (*_bases(images), *_untagged(engine)) if image.id not in used]
    usage = engine.usage(images) if doomed else None
    gone: set[str] = set()
    before = 0
    for image in doomed:
        gone.add(image.id)
        freed = usage.freed_by(gone) if usage else 0
        name = ", ".join(image.references) or image.id.partition(":")[2][:_SHORT]
        kind = "image" if image.references else "untagged image"
        yield Removal(kind, name, freed - before, partial(_remove_image, engine, image))
        before = freed


def _untagged(engine: Engine) -> Iterator[StoredImage]:
    """Images of cannery's whose name a later build took."""
    return (image for image in own_images(engine) if not image.references)


def _bases(images: Iterable[StoredImage]) -> Iterator[StoredImage]:
    """Bases that were loaded to be explored and have no other name."""
    for image in images:
        if image.references and all(_BASE.match(name) for name in image.references):
            yield image


def _remove_image(engine: Engine, image: StoredImage) -> None:
    for name in image.references or (image.id,):
        engine.remove_image(name)
