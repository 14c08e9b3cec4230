"""What can be removed: containers and images that cannery made, and the part of its cache beyond a size.

A container is cannery's by its label, which only cannery's tasks give. An image is cannery's by its label and its last
layer: labels alone pass on to what others build from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from cannery.containers.engine.engine import IMAGE_LABEL, TASK_LABEL
from cannery.containers.load import BASES
from cannery.errors import ConfigurationError
from cannery.workspace.eviction import evict, evictable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cannery.containers.engine.engine import Engine, EngineContainer, StoredImage
    from cannery.workspace.cache import Cache
    from cannery.workspace.eviction import CacheEntry

__all__ = ["KINDS", "Removal", "Scope", "own_images", "removals"]

_HOSTS = r"^(?:docker\.io/library/|localhost/)"  # Podman writes names out
_BASE = re.compile(rf"(?:{_HOSTS})?{BASES}:")
_FEWEST = 4  # digits that tell an ID from a name
_SHORT = 12  # digits of an ID, as engines show them


KINDS: Final = frozenset({"containers", "images", "cache"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The limits of what is removed."""

    keep: int | None  # bytes of the cache that stay; None for all
    running: bool = False  # cannery's running containers go, too
    everything: bool = False  # whatever the engine has and nothing uses goes, whoever made it
    kinds: frozenset[str] = KINDS  # of what goes
    names: tuple[str, ...] = ()  # names and IDs of cannery's containers and images: these go, tagged or not, no others


@dataclass(frozen=True, slots=True)
class Removal:
    """Something to remove."""

    kind: str  # container, image …
    name: str
    size: int  # bytes that come free
    remove: Callable[[], int | None]  # removes it; returns the bytes that came free where they aren't all of them
    names: tuple[str, ...] = ()  # all by which it's known to its engine, its ID among them


def removals(engine: Engine | None, cache: Cache, scope: Scope) -> tuple[Removal, ...]:
    """All that can be removed within ``scope``, in the order in which it can go; ``engine`` is None without one.

    Raises :class:`ConfigurationError` for a name of the scope that nothing of cannery's has.
    """
    found: list[Removal] = []
    if engine is not None:
        containers = engine.containers(sizes=True)
        doomed = tuple(container for container in containers if _goes(container, scope))
        found += [_container(engine, container) for container in doomed]
        if "images" in scope.kinds:
            used = {container.image_id for container in containers if container not in doomed}
            found += _images(engine, used, scope)
        if scope.everything and scope.kinds == KINDS and not scope.names:
            found.append(Removal("rest", "build cache and networks", engine.build_cache(), engine.prune_rest))
    if "cache" in scope.kinds and not scope.names:
        found += _of_cache(cache, scope.keep)
    _check_named(engine, found, scope)
    return tuple(found)


def _of_cache(cache: Cache, keep: int | None) -> Iterator[Removal]:
    """What goes from the cache, all entries of a kind together; caches of other versions each for itself."""
    kinds: dict[str, list[CacheEntry]] = {}
    for entry in evictable(cache, keep):
        inside = entry.path.is_relative_to(cache.root)
        place = cache.root.name, *entry.path.relative_to(cache.root).parts[:1]
        kinds.setdefault("/".join(place) if inside else entry.path.name, []).append(entry)
    for name, entries in kinds.items():
        count = f"{name}, {len(entries):,} entries" if len(entries) > 1 else name
        yield Removal("cache", count, sum(entry.size for entry in entries), partial(_evict_all, entries))


def _evict_all(entries: Iterable[CacheEntry]) -> int:
    """Remove entries; returns the bytes of those that nobody uses by now."""
    return sum(entry.size for entry in entries if evict(entry))


def _check_named(engine: Engine | None, found: Iterable[Removal], scope: Scope) -> None:
    for name in scope.names:
        if any(_is(name, each.names) for each in found):
            continue
        there = engine is not None and any(
            _is(name, names)
            for names in (
                *((each.name, each.id) for each in engine.containers(label=TASK_LABEL)),
                *((*each.references, each.id) for each in own_images(engine)),
            )
        )
        raise ConfigurationError(
            f"{name} is in use, or of another kind" if there else f"nothing of cannery's is called {name}",
            step="add --running to stop what runs" if there else "ps and images list what there is",
        )


def _is(name: str, names: Iterable[str]) -> bool:
    """True if ``name`` is one of ``names``, as short as engines take it, or the beginning of an ID among them."""
    return any(
        name in {each, (short := re.sub(_HOSTS, "", each)), short.removesuffix(":latest")}
        or (len(name) >= _FEWEST and each.removeprefix("sha256:").startswith(name.removeprefix("sha256:")))
        for each in names
    )


def own_images(engine: Engine) -> tuple[StoredImage, ...]:
    """The images that cannery built; those that others built on one of them are not among them."""
    return tuple(image for image in engine.images(label=IMAGE_LABEL) if engine.built_here(image.id))


def _goes(container: EngineContainer, scope: Scope) -> bool:
    own = TASK_LABEL in container.labels
    if "containers" not in scope.kinds:
        return False
    if scope.names:
        named = any(_is(name, (container.name, container.id)) for name in scope.names)
        return own and named and (scope.running or not container.running)
    return (own and scope.running) if container.running else (own or scope.everything)


def _container(engine: Engine, container: EngineContainer) -> Removal:
    kind = "running container" if container.running else "container"
    names = (container.name, container.id)
    return Removal(kind, container.name, container.size, partial(_remove_container, engine, container), names)


def _remove_container(engine: Engine, container: EngineContainer) -> None:
    if container.running:
        engine.stop(container.id)
    engine.remove_container(container.id)


def _images(engine: Engine, used: set[str], scope: Scope) -> Iterator[Removal]:
    """The images that none of ``used`` needs, each with the bytes that it frees once those before it are gone."""
    images = engine.images()
    doomed = [image for image in _candidates(engine, images, scope) if image.id not in used]
    usage = engine.usage(images) if doomed else None
    gone: set[str] = set()
    before = 0
    for image in doomed:
        gone.add(image.id)
        freed = usage.freed_by(gone) if usage else 0
        name = ", ".join(image.references) or image.id.partition(":")[2][:_SHORT]
        kind = "image" if image.references else "untagged image"
        names = (*image.references, image.id)
        yield Removal(kind, name, freed - before, partial(_remove_image, engine, image), names)
        before = freed


def _candidates(engine: Engine, images: Sequence[StoredImage], scope: Scope) -> Iterator[StoredImage]:
    """The images that go unless something uses them."""
    if scope.names:
        own = own_images(engine)
        yield from (each for each in own if any(_is(name, (*each.references, each.id)) for name in scope.names))
    elif scope.everything:
        yield from images
    else:
        yield from (*_bases(images), *_untagged(engine))


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
