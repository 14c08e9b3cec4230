"""``invoke lock``: what a build takes besides wheels, in exact versions."""

from __future__ import annotations

from cannery.tasks.flags import JSON, CommandLine, command
from cannery.tasks.project import app_of

__all__ = ["lock"]


@command("recipe", "base", "runtime", "platform", "python", "compile", help={"json": JSON})
def lock(line: CommandLine, json: bool = False) -> None:
    """Write cannery.lock, for the same image on every machine.

    The lock pins what a build uses besides the wheels: the packages of a Python that comes from a distribution, the
    digest of a base, and the versions of the tools that affect the bytes. All builds then use exactly that, and
    fail if they can't. Run it again to take the newest of everything.
    """
    from cannery.project.build_lock import write_lock  # noqa: PLC0415
    from cannery.recipes.lock import lock_of  # noqa: PLC0415
    from cannery.tasks.report.lock import LockReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    app = app_of(line)
    with shown_workspace(quiet=json, refresh=True) as workspace:
        made = lock_of(app, workspace)
    path = write_lock(app.folder, made)
    print_report(LockReport(made, path, app.settings.recipe), json=json)
