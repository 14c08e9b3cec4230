"""``invoke explore``: a prompt inside an image."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import CommandLine, command
from cannery.tasks.project import app_of, engine_of

if TYPE_CHECKING:
    from cannery.containers.engine.engine import Engine, EngineContainer
    from cannery.containers.explore import Toolbox
    from cannery.image.image import Base
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["explore"]


@command(
    *(name for name in BUILD_FLAGS if name != "base"),
    help={
        "image": "An archive, an OCI layout, or an image in an engine or a registry (default: the project's own).",
        "base": "The recipe's base image instead of the image; a value names another one, as the setting does.",
        "name": "Name of the container.",
    },
    optional=["base"],
)
def explore(line: CommandLine, image: str | None = None, base: str | bool = False, name: str = "dev") -> None:
    """Open a prompt inside an image, to look around.

    You get the image's shell if it has one, or else its own Python with ls, cat, find, ps and run. If it has
    neither, a toolbox with the same Python prompt is put into the container. The first line says which one you
    have. The container is removed at the end. Without Docker or Podman, and for an image that they don't have,
    cannery itself runs it.
    """
    if image is not None:
        code = _explore_named(line, image, name)
    else:
        app = app_of(line, base=base if isinstance(base, str) else None)
        engine = engine_of(line)
        code = (
            _explore_alone(app, base=bool(base)) if engine is None else _explore_own(app, engine, name, base=bool(base))
        )
    if code:
        sys.exit(code)


def _explore_named(line: CommandLine, name: str, container: str) -> int:
    """Explore the image called ``name`` in the engine that has it, or else with no engine."""
    engine = engine_of(line)
    if engine is not None and engine.id_of(name) is not None:
        return _explore_in(engine, name, container)
    from cannery.containers.explore import explore_alone  # noqa: PLC0415
    from cannery.image.image import image_of  # noqa: PLC0415
    from cannery.recipes.any_image import pulled_image  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    with shown_workspace() as workspace:
        found = pulled_image(name, "none" if engine is None else "auto", None, workspace)
    return explore_alone(image_of(found), name, workspace.cache, _toolbox)


def _explore_own(app: App, engine: Engine, name: str, *, base: bool) -> int:
    """Load the app's own image, built where something has changed, or its ``base`` into ``engine``, and explore it."""
    from cannery.containers.load import load, load_base  # noqa: PLC0415
    from cannery.recipes.build import build  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    with shown_workspace() as workspace:
        if base:
            image = load_base(engine, _base_of(app, workspace), workspace)
        else:
            image = app.references[0]
            load(build(app, workspace).image, app.references, app.settings.engine, workspace)
    return _explore_in(engine, image, name)


def _explore_alone(app: App, *, base: bool) -> int:
    """Explore the app's own image, or its base, with no engine."""
    from cannery.containers.explore import explore_alone  # noqa: PLC0415
    from cannery.image.image import image_of  # noqa: PLC0415
    from cannery.recipes.build import build  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    with shown_workspace() as workspace:
        image = image_of(_base_of(app, workspace)) if base else build(app, workspace).image
    name = app.settings.base if base and app.settings.base else app.references[0]
    return explore_alone(image, name, workspace.cache, _toolbox)


def _base_of(app: App, workspace: Workspace) -> Base:
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.trees.base.image import base_image  # noqa: PLC0415

    if app.settings.base is None:
        raise ConfigurationError(
            "there is no base image to explore",
            evidence=f"the recipe is {app.settings.recipe!r}, and no base is named",
            step='name one:  --base python:3.11-slim,  or  [tool.cannery]  base = "python:3.11-slim"',
        )
    return base_image(app, workspace).base


def _toolbox() -> Toolbox:
    """The toolbox, for images that have no program that gives a prompt."""
    from cannery.recipes.toolbox import toolbox  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    with shown_workspace() as workspace:
        return toolbox(workspace)


def _explore_in(engine: Engine, image: str, name: str) -> int:
    """Explore ``image`` in a container called ``name``, or enter the one of that name, if the user agrees."""
    from cannery.containers import explore as exploring  # noqa: PLC0415

    present = next((container for container in engine.containers() if container.name == name), None)
    if present is None:
        return exploring.explore(engine, image, name, _toolbox)
    if _wanted(present):
        return exploring.enter(engine, present.name, _toolbox)
    from cannery.errors import MachineError  # noqa: PLC0415

    raise MachineError(
        f"there is a container {name!r} already",
        evidence=f"of {present.image}, {present.status}",
        step="choose another name (--name), or remove it",
    )


def _wanted(present: EngineContainer) -> bool:
    """Ask the user whether to enter a container that is there; False where it isn't running, or nobody can answer."""
    if not present.running or not sys.stdin.isatty():
        return False
    from cannery.workspace.streams import visible  # noqa: PLC0415

    question = f"there is a container {present.name!r} of {present.image} already ({present.status}): enter it? [Y/n] "
    return input(visible(question)).strip().lower() in {"", "y", "yes"}
