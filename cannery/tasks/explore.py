"""``invoke explore``: a prompt inside an image."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app, load_engine, require_engine

if TYPE_CHECKING:
    from invoke.context import Context

    from cannery.containers.engine.engine import Container, Engine

__all__ = ["explore"]


@task(
    help={
        "image": "The image, as the engine calls it (default: the project's own, built where something has changed).",
        "base": "The recipe's base image instead of the image; a value names another one, as the setting does.",
        "name": "Name of the container.",
        "engine": BUILD_HELP["engine"],
        "project": BUILD_HELP["project"],
    },
    optional=["base"],
    auto_shortflags=False,
)
@friendly
def explore(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    image: str | None = None,
    base: str | bool = False,
    name: str = "dev",
    engine: str | None = None,
    project: str | None = None,
) -> None:
    """Look around in an image, at a prompt inside it.

    The container is gone at the end. The prompt is the image's shell; an image that has none gives its own Python's;
    one without that, too, that of a toolbox, which is laid into the container. It's said which. Without an engine
    cannery itself runs the project's own image.
    """
    from cannery.containers import explore as exploring  # noqa: PLC0415

    if image is not None:
        code = _explore_in(require_engine(project, engine), image, name)
    else:
        app = load_app(project, engine=engine, base=base if isinstance(base, str) else None)
        found = load_engine(project, engine)
        if found is None:
            code = exploring.explore_alone(app, base=bool(base))
        else:
            code = _explore_in(found, exploring.bring_base(app, found) if base else exploring.bring(app), name)
    if code:
        sys.exit(code)


def _explore_in(engine: Engine, image: str, name: str) -> int:
    """Explore ``image``, or the container of that name that is there already, if the user wants that."""
    from cannery.containers import explore as exploring  # noqa: PLC0415

    present = next((container for container in engine.containers() if container.name == name), None)
    if present is None:
        return exploring.explore(engine, image, name)
    if _wanted(present):
        return exploring.enter(engine, present.name)
    from cannery.errors import MachineError  # noqa: PLC0415

    raise MachineError(
        f"there is a container {name!r} already",
        evidence=f"of {present.image}, {present.status}",
        step="choose another name (--name), or remove it",
    )


def _wanted(present: Container) -> bool:
    """Ask whether to enter a container that is there."""
    if not present.running or not sys.stdin.isatty():
        return False
    question = f"there is a container {present.name!r} of {present.image} already ({present.status}): enter it? [Y/n] "
    return input(question).strip().lower() in {"", "y", "yes"}
