"""``invoke run``: the image, run by an engine, or where none is there."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.context import Context

    from cannery.project.app import App

__all__ = ["run"]

_HELP = {name: BUILD_HELP[name] for name in ("recipe", "base", "python", "project", "strip", "compile", "engine")}


@task(help=_HELP, auto_shortflags=False)
@friendly
def run(
    context: Context,
    recipe: str | None = None,
    base: str | None = None,
    python: str | None = None,
    project: str | None = None,
    strip: bool = False,
    compile: bool = False,
    engine: str | None = None,
) -> None:
    """Run the image: invoke run -- ARGS.

    Builds it first where something has changed. Docker or Podman runs it where one answers, its ports published on
    127.0.0.1; otherwise it runs in namespaces of its own over the unpacked image, with the machine's network. Either
    way it's read-only, with no capabilities, as the image's user; exit code and signals are the program's.
    """
    app = load_app(
        project, recipe=recipe, base=base, python=python, strip=strip or None, compile=compile or None, engine=engine
    )
    code = _run(app, _arguments(context))
    if code:
        sys.exit(code)


def _arguments(context: Context) -> list[str]:
    """What stands behind ``--``: word by word where the command line can be seen, as Invoke joins the words."""
    behind = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return behind if context.remainder == " ".join(behind) else shlex.split(context.remainder)


def _run(app: App, arguments: Sequence[str]) -> int:
    """Build what has changed, run the image with ``arguments``, and return the program's exit code."""
    from cannery.containers.engine.discovery import find_engine  # noqa: PLC0415
    from cannery.containers.engine.engine import ContainerRequest  # noqa: PLC0415
    from cannery.containers.load import load  # noqa: PLC0415
    from cannery.containers.sandbox.container import container_in  # noqa: PLC0415
    from cannery.containers.sandbox.rootfs import rootfs  # noqa: PLC0415
    from cannery.containers.sandbox.runner import run_container  # noqa: PLC0415
    from cannery.recipes.build import build  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    settings, references = app.settings, app.references
    with shown_workspace() as workspace:
        image = build(app, workspace).image
        engine = find_engine(settings.engine)
        if engine is None:
            root = rootfs(image, workspace.cache)
        else:
            load(image, references, settings.engine, app.archive, workspace)
    if engine is None:
        return run_container(container_in(root, image.config, arguments))
    return engine.run(
        ContainerRequest("run", references[0], tuple(arguments), ports=settings.ports, scratch=settings.volumes)
    )
