"""A prompt inside an image or a base: its shell's, its own Python's, or that of a toolbox where it has neither."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.containers.engine.engine import Job
from cannery.containers.load import image_of, load, load_base, references_of
from cannery.containers.sandbox.container import container_in
from cannery.containers.sandbox.embedded import run_container
from cannery.containers.sandbox.rootfs import rootfs
from cannery.errors import ConfigurationError, ImageError
from cannery.image.paths import resolved
from cannery.recipes.build import build
from cannery.recipes.toolbox import TOOLBOX, Toolbox, toolbox
from cannery.tasks.report.progress import showing_progress
from cannery.trees.base.image import base_image
from cannery.workspace.streams import show
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cannery.containers.engine.engine import Engine
    from cannery.image.tree import Base
    from cannery.project.app import App

__all__ = ["bring", "bring_base", "enter", "explore", "explore_alone"]

_SHELLS: Final = ("/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh", "/bin/ash", "/busybox/sh")
_PYTHONS: Final = ("/usr/local/bin/python3", "/usr/bin/python3", "/usr/local/bin/python", "/usr/bin/python")


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A program that gives a prompt."""

    command: tuple[str, ...]
    told: str  # which it is
    toolbox: Toolbox | None = None  # to be laid over the image first


def bring(app: App) -> str:
    """Have the app's own image in the engine, built where something has changed; return what it's called."""
    with showing_progress() as progress:
        workspace = Workspace.default(progress)
        load(app, build(app, workspace).image, workspace)
    return references_of(app)[0]


def bring_base(app: App, engine: Engine) -> str:
    """Have the base of the app's recipe in the engine, fetched where it isn't there; return what it's called."""
    with showing_progress() as progress:
        workspace = Workspace.default(progress)
        return load_base(engine, _base_of(app, workspace), workspace)


def explore(engine: Engine, image: str, name: str) -> int:
    """Start a container of ``image`` that waits in the background, give a prompt in it, and remove it at the end."""
    with _created(engine, Job("explore", image, entrypoint=("-",), hardened=False)) as probe:
        prompt = _prompt_in(engine, probe)
    job = Job("explore", image, entrypoint=prompt.command, name=name, hardened=False)
    with _created(engine, job) as container:
        _prepare(engine, container, prompt)
        engine.start(container)
        show(f"{image} as container {name!r} in {engine.name}, {prompt.told}; Ctrl-D ends and removes it")
        return engine.enter(container, prompt.command)


def enter(engine: Engine, container: str) -> int:
    """Give a prompt in a container that runs already, and leave it running."""
    prompt = _prompt_in(engine, container)
    _prepare(engine, container, prompt)
    show(f"container {container!r} in {engine.name}, {prompt.told}; it stays when you leave")
    return engine.enter(container, prompt.command)


def explore_alone(app: App, *, base: bool) -> int:
    """Give a prompt inside the app's own image, or in its ``base``, with no engine at all."""
    with showing_progress() as progress:
        workspace = Workspace.default(progress)
        image = image_of(_base_of(app, workspace)) if base else build(app, workspace).image
        root = rootfs(image, workspace.cache)
        prompt = _prompt(lambda paths: next((path for path in paths if _exists(root, path)), None))
        if prompt.toolbox is not None:
            root = rootfs(image, workspace.cache, (prompt.toolbox.layer,))
    name = app.settings.base if base else references_of(app)[0]
    show(f"{name} without an engine, {prompt.told}; Ctrl-D ends it")
    return run_container(container_in(root, image.config, prompt.command)._replace(argv=prompt.command))


def _base_of(app: App, workspace: Workspace) -> Base:
    if app.settings.base is None:
        raise ConfigurationError(
            "there is no base image to explore",
            evidence=f"the recipe is {app.settings.recipe!r}, and no base is named",
            step='name one:  --base python:3.11-slim,  or  [tool.cannery]  base = "python:3.11-slim"',
        )
    return base_image(app, workspace).base


def _exists(root: Path, path: str) -> bool:
    return Path(resolved(fspath(root), path)).exists()


@contextmanager
def _created(engine: Engine, job: Job) -> Iterator[str]:
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


def _prompt_in(engine: Engine, container: str) -> _Prompt:
    return _prompt(lambda paths: engine.has_file(container, paths))


def _prompt(find: Callable[[Sequence[str]], str | None]) -> _Prompt:
    """The prompt of the first program that ``find`` finds, or of a toolbox."""
    program = find((*_SHELLS, *_PYTHONS))
    if program is not None:
        return _Prompt((program,), f"{'its shell' if program in _SHELLS else 'its own Python'} {program}")
    with showing_progress() as progress:
        box = toolbox(Workspace.default(progress))
    return _Prompt(box.command, f"a toolbox's Python in {TOOLBOX}", box)
