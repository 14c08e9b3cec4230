"""A prompt inside a container: that of the image's shell, else of the image's Python, else of a toolbox's Python."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.containers.engine.engine import ContainerRequest
from cannery.containers.sandbox.container import container_in
from cannery.containers.sandbox.rootfs import rootfs
from cannery.containers.sandbox.runner import run_container
from cannery.errors import ImageError
from cannery.image.paths import resolved
from cannery.workspace.keys import package_file
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
_PROMPT: Final = package_file("containers/payload/prompt.py")
_SHELLS: Final = ("/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh", "/bin/ash", "/busybox/sh")
_PYTHONS: Final = ("/usr/local/bin/python3", "/usr/bin/python3", "/usr/local/bin/python", "/usr/bin/python")


@dataclass(frozen=True, slots=True)
class Toolbox:
    """A layer that brings a Python of its own into a container, below :data:`TOOLBOX`."""

    layer: Layer
    command: tuple[str, ...]  # gives the prompt, once the layer lies over the image's
    platform: Platform  # that the Python runs on


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A program that gives a prompt."""

    command: tuple[str, ...]
    told: str  # what the user reads about it: "its shell /bin/sh"
    toolbox: Toolbox | None = None  # has to be laid over the image first


def explore(engine: Engine, image: str, name: str, toolbox: MakeToolbox) -> int:
    """Give a prompt in a new container of ``image``, which is called ``name`` and removed at the end.

    ``toolbox`` is called where the image has no program that gives a prompt. Returns the prompt's exit code.
    """
    with _created(engine, ContainerRequest("explore", image, entrypoint=("-",), hardened=False)) as never_started:
        prompt = _prompt_in(engine, never_started, toolbox)
    request = ContainerRequest("explore", image, entrypoint=prompt.command, name=name, hardened=False)
    with _created(engine, request) as container:
        _prepare(engine, container, prompt)
        engine.start(container)
        show(f"{image} as container {name!r} in {engine.name}, {prompt.told}; Ctrl-D ends and removes it")
        return engine.enter(container, prompt.command)


def enter(engine: Engine, container: str, toolbox: MakeToolbox) -> int:
    """Give a prompt in a container that runs already, and leave it running; otherwise as :func:`explore`."""
    prompt = _prompt_in(engine, container, toolbox)
    _prepare(engine, container, prompt)
    show(f"container {container!r} in {engine.name}, {prompt.told}; it stays when you leave")
    return engine.enter(container, prompt.command)


def explore_alone(image: Image, name: str, cache: Cache, toolbox: MakeToolbox) -> int:
    """Give a prompt in ``image`` with no engine; ``name`` is only shown, ``toolbox`` as for :func:`explore`."""
    root = rootfs(image, cache)
    prompt = _prompt(lambda paths: next((path for path in paths if _exists(root, path)), None), toolbox)
    if prompt.toolbox is not None:
        root = rootfs(image, cache, (prompt.toolbox.layer,))
    show(f"{name} without an engine, {prompt.told}; Ctrl-D ends it")
    return run_container(container_in(root, image.config, prompt.command)._replace(argv=prompt.command, prompt=True))


def _exists(root: Path, path: str) -> bool:
    return Path(resolved(fspath(root), path)).exists()


@contextmanager
def _created(engine: Engine, request: ContainerRequest) -> Iterator[str]:
    container = engine.create(request)
    try:
        yield container
    finally:
        engine.remove_container(container)


def _prepare(engine: Engine, container: str, prompt: _Prompt) -> None:
    """Unpack the prompt's toolbox, if it has one, over the container's root, unless it lies there already.

    Raises :class:`ImageError` where the engine runs on another machine than the toolbox does.
    """
    box = prompt.toolbox
    if box is None or engine.find_file(container, (TOOLBOX,)):
        return
    if box.platform.architecture != engine.architecture:
        raise ImageError(
            "the image has neither a shell nor Python, and a toolbox from here would not run there",
            evidence=f"this machine has {box.platform.architecture}, {engine.name} {engine.architecture}",
            step="explore it in an engine on this machine",
        )
    engine.put(container, box.layer.blob)


def _prompt_in(engine: Engine, container: str, toolbox: MakeToolbox) -> _Prompt:
    return _prompt(lambda paths: engine.find_file(container, paths), toolbox)


def _prompt(find: Callable[[Sequence[str]], str | None], toolbox: MakeToolbox) -> _Prompt:
    """The prompt of the first program that ``find`` has among shells and Pythons, or else that of the toolbox."""
    program = find((*_SHELLS, *_PYTHONS))
    if program in _SHELLS:
        return _Prompt((program,), f"its shell {program}")
    if program is not None:
        return _Prompt((program, "-c", _PROMPT.read_text(encoding="utf-8")), f"its own Python {program}")
    box = toolbox()
    return _Prompt(box.command, f"a toolbox's Python in {TOOLBOX}", box)
