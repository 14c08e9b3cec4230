"""``invoke ps`` and ``invoke images``: what cannery made on the engine."""

from __future__ import annotations

from cannery.tasks.flags import CommandLine, command
from cannery.tasks.project import required_engine_of

__all__ = ["images", "ps"]

_HELP = {"json": "Print JSON instead of a table."}


@command("engine", help=_HELP)
def ps(line: CommandLine, json: bool = False) -> None:
    """List the containers that cannery started.

    They are those of 'run' and 'explore', running or not.
    """
    from cannery.containers.engine.engine import TASK_LABEL  # noqa: PLC0415
    from cannery.tasks.report.listings import ContainersReport  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    print_report(ContainersReport(required_engine_of(line).containers(label=TASK_LABEL)), json=json)


@command("engine", help=_HELP)
def images(line: CommandLine, json: bool = False) -> None:
    """List the images that cannery built.

    An image without a name is an earlier build: a later one has taken its name.
    """
    from cannery.containers.prune import own_images  # noqa: PLC0415
    from cannery.tasks.report.listings import ImagesReport  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    print_report(ImagesReport(own_images(required_engine_of(line))), json=json)
