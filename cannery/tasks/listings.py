"""``invoke ps`` and ``invoke images``: what cannery made on the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, require_engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from invoke.context import Context

__all__ = ["images", "ps"]

_HELP = {
    "json": "Print JSON instead of a table.",
    "engine": BUILD_HELP["engine"],
    "project": BUILD_HELP["project"],
}


@task(help=_HELP, auto_shortflags=False)
@friendly
def ps(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    json: bool = False,
    engine: str | None = None,
    project: str | None = None,
) -> None:
    """List the containers that cannery started.

    They are those of 'run' and 'explore', running or not.
    """
    from cannery.containers.engine.engine import TASK_LABEL  # noqa: PLC0415

    found = require_engine(project, engine).containers(label=TASK_LABEL)
    rows = [
        {
            "name": container.name,
            "image": container.image,
            "task": container.labels[TASK_LABEL],
            "status": container.status,
            "ports": ", ".join(container.ports),
        }
        for container in found
    ]
    _print(("name", "image", "task", "status", "ports"), rows, json=json)


@task(help=_HELP, auto_shortflags=False)
@friendly
def images(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    json: bool = False,
    engine: str | None = None,
    project: str | None = None,
) -> None:
    """List the images that cannery built.

    Those without a name are builds that a later one took the name of.
    """
    from cannery.containers.engine.engine import IMAGE_LABEL  # noqa: PLC0415
    from cannery.containers.prune import own_images  # noqa: PLC0415
    from cannery.tasks.report.image import human_size  # noqa: PLC0415

    rows = [
        {
            "image": ", ".join(image.references) or "(untagged)",
            "id": image.id,
            "recipe": image.labels[IMAGE_LABEL],
            "size": image.size if json else human_size(image.size),
        }
        for image in own_images(require_engine(project, engine))
    ]
    _print(("image", "id", "recipe", "size"), rows, json=json)


def _print(columns: tuple[str, ...], rows: Sequence[Mapping[str, object]], *, json: bool) -> None:
    if json:
        import json as encoder  # noqa: PLC0415

        print(encoder.dumps(rows, indent=2))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(str(row[column])) for column in columns))
    Console(highlight=False, soft_wrap=True).print(table)
