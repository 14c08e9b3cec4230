"""A prompt inside a container: its image's shell, the image's own Python, or that of a toolbox where it has neither."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.containers.engine.engine import ContainerRequest
from cannery.containers.sandbox.container import container_in
from cannery.containers.sandbox.embedded import run_container
from cannery.containers.sandbox.rootfs import rootfs
from cannery.errors import ImageError
from cannery.image.paths import resolved
from cannery.workspace.streams import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cannery.containers.engine.engine import Engine
    from cannery.image.image import Image
    from cannery.image.layer import Layer
    from cannery.image.platform import Platform
    from cannery.workspace.cache import Cache

    MakeToolbox = Callable[[], "Toolbox"]

__all__ = ["TOOLBOX", "Toolbox", "enter", "explore", "explore_alone"]

TOOLBOX: Final = "/.cannery"  # where a toolbox lies in a container
_SHELLS: Final = ("/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh", "/bin/ash", "/busybox/sh")
_PYTHONS: Final = ("/usr/local/bin/python3", "/usr/bin/python3", "/usr/local/bin/python", "/usr/bin/python")


@dataclass(frozen=True, slots=True)
class Toolbox:
    """A layer to lay over an image, and what gives a prompt then."""

    layer: Layer
    command: tuple[str, ...]
    platform: Platform


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A program that gives a prompt."""

    command: tuple[str, ...]
    told: str  # which it is
    toolbox: Toolbox | None = None  # to be laid over the image first


def explore(engine: Engine, image: str, name: str, toolbox: MakeToolbox) -> int:
    """Start a container of ``image`` that waits in the background, give a prompt in it, and remove it at the end.

    ``toolbox`` makes what is laid into the container where the image has no program that gives a prompt.
    """
    with _created(engine, ContainerRequest("explore", image, entrypoint=("-",), hardened=False)) as probe:
        prompt = _prompt_in(engine, probe, toolbox)
    job = ContainerRequest("explore", image, entrypoint=prompt.command, name=name, hardened=False)
    with _created(engine, job) as container:
        _prepare(engine, container, prompt)
        engine.start(container)
        show(f"{image} as container {name!r} in {engine.name}, {prompt.told}; Ctrl-D ends and removes it")
        return engine.enter(container, prompt.command)


def enter(engine: Engine, container: str, toolbox: MakeToolbox) -> int:
    """Give a prompt in a container that runs already, and leave it running; ``toolbox`` as for :func:`explore`."""
    prompt = _prompt_in(engine, container, toolbox)
    _prepare(engine, container, prompt)
    show(f"container {container!r} in {engine.name}, {prompt.told}; it stays when you leave")
    return engine.enter(container, prompt.command)


def explore_alone(image: Image, name: str, cache: Cache, toolbox: MakeToolbox) -> int:
    """Give a prompt in ``image``, called ``name``, with no engine at all; ``toolbox`` as for :func:`explore`."""
    root = rootfs(image, cache)
    prompt = _prompt(lambda paths: next((path for path in paths if _exists(root, path)), None), toolbox)
    if prompt.toolbox is not None:
        root = rootfs(image, cache, (prompt.toolbox.layer,))
    show(f"{name} without an engine, {prompt.told}; Ctrl-D ends it")
    return run_container(container_in(root, image.config, prompt.command)._replace(argv=prompt.command))


def _exists(root: Path, path: str) -> bool:
    return Path(resolved(fspath(root), path)).exists()


@contextmanager
def _created(engine: Engine, job: ContainerRequest) -> Iterator[str]:
    container = engine.create(job)
    try:
        yield container
    finally:
        engine.remove_container(container)


def _prepare(engine: Engine, container: str, prompt: _Prompt) -> None:
    """Lay the toolbox over the container's root, where the prompt is the toolbox's and it isn't there yet."""
    box = prompt.toolbox
    if box is None or engine.has_file(container, (TOOLBOX,)):
        return
    if box.platform.architecture != engine.architecture:
        raise ImageError(
            "the image has neither a shell nor Python, and a toolbox from here would not run there",
            evidence=f"this machine has {box.platform.architecture}, {engine.name} {engine.architecture}",
            step="explore it in an engine on this machine",
        )
    engine.put(container, box.layer.blob)


def _prompt_in(engine: Engine, container: str, toolbox: MakeToolbox) -> _Prompt:
    return _prompt(lambda paths: engine.has_file(container, paths), toolbox)


def _prompt(find: Callable[[Sequence[str]], str | None], toolbox: MakeToolbox) -> _Prompt:
    """The prompt of the first program that ``find`` finds, or of a toolbox."""
    program = find((*_SHELLS, *_PYTHONS))
    if program is not None:
        return _Prompt((program,), f"{'its shell' if program in _SHELLS else 'its own Python'} {program}")
    box = toolbox()
    return _Prompt(box.command, f"a toolbox's Python in {TOOLBOX}", box)
