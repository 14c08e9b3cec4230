"""``invoke imports``: what the program imports, and why."""

from __future__ import annotations

from cannery.tasks.flags import CommandLine, command
from cannery.tasks.project import app_of

__all__ = ["imports"]


@command("python", help={"why": "Show what leads to this module.", "json": "Print all of it as JSON."})
def imports(line: CommandLine, why: str | None = None, json: bool = False) -> None:
    """Show what the program imports, and why.

    Reads the sources of the app, its dependencies and the standard library. Runs nothing of them, except what the
    setting trace names.
    """
    from cannery.recipes.imports import imports_of  # noqa: PLC0415
    from cannery.tasks.report.imports import ImportsReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    app = app_of(line)
    with shown_workspace(quiet=json) as workspace:
        found = imports_of(app, workspace)
    print_report(ImportsReport(found, why), json=json)
