"""A prompt inside an image: its shell's; where it has none, its own Python's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.build import build
from cannery.engines.container import container_in
from cannery.engines.embedded import run_container
from cannery.engines.engine import Job
from cannery.engines.rootfs import rootfs
from cannery.errors import ImageError
from cannery.loading import load, references_of
from cannery.report.progress import showing_progress
from cannery.streams import show
from cannery.workspace import Workspace

if TYPE_CHECKING:
    from cannery.app import App
    from cannery.engines.engine import Engine

__all__ = ["bring", "enter", "explore", "explore_alone"]

_SHELLS: Final = ("/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh", "/bin/ash", "/busybox/sh")
_PYTHONS: Final = ("/usr/local/bin/python3", "/usr/bin/python3", "/usr/local/bin/python", "/usr/bin/python")


def bring(app: App) -> str:
    """Have the app's own image in the engine, built where something has changed; return what it's called."""
    with showing_progress() as progress:
        workspace = Workspace.default(progress)
        load(app, build(app, workspace).image, workspace)
    return references_of(app)[0]


def explore(engine: Engine, image: str, name: str) -> int:
    """Start a container of ``image`` that waits in the background, give a prompt in it, and remove it at the end."""
    prompt = _prompt(engine, image)
    container = engine.start(Job("explore", image, entrypoint=(prompt,), name=name, hardened=False))
    try:
        show(f"{image} as container {name!r} in {engine.name}, {_told(prompt)}; Ctrl-D ends and removes it")
        return engine.enter(container, (prompt,))
    finally:
        engine.remove_container(container)


def enter(engine: Engine, container: str, image: str) -> int:
    """Give a prompt in a container that runs already, and leave it running."""
    prompt = _prompt(engine, image)
    show(f"container {container!r} in {engine.name}, {_told(prompt)}; it stays when you leave")
    return engine.enter(container, (prompt,))


def explore_alone(app: App) -> int:
    """Give a prompt of the image's own Python with no engine at all."""
    with showing_progress() as progress:
        workspace = Workspace.default(progress)
        image = build(app, workspace).image
        root = rootfs(image, workspace.cache)
    container = container_in(root, image.config)
    python = next((path for path in _PYTHONS if (root / path.lstrip("/")).is_file()), None)
    if python is None:
        raise ImageError("the image has no Python to give a prompt", step="start Docker or Podman")
    show(f"{references_of(app)[0]} without an engine, {_told(python)}; Ctrl-D ends it")
    return run_container(container._replace(argv=(python,)))


def _prompt(engine: Engine, image: str) -> str:
    program = engine.has_file(image, (*_SHELLS, *_PYTHONS))
    if program is None:
        raise ImageError(
            f"{image} has neither a shell nor Python to give a prompt",
            evidence=f"looked for {', '.join((*_SHELLS, *_PYTHONS))}",
        )
    return program


def _told(prompt: str) -> str:
    return f"its shell {prompt}" if prompt in _SHELLS else f"its own Python {prompt}"
