"""``invoke config``: which settings are in force, and where each comes from."""

from __future__ import annotations

from cannery.tasks.flags import CommandLine, command
from cannery.tasks.project import folder_of

__all__ = ["config"]


@command(help={"json": "Print JSON instead of a table."})
def config(line: CommandLine, json: bool = False) -> None:
    """Show every setting, its value, and where it comes from.

    A flag overrides an environment variable, which overrides pyproject.toml. If none of these says anything, the value
    is found in the project's files, or it's the default.
    """
    from cannery.errors import CanneryError  # noqa: PLC0415
    from cannery.project.config import load  # noqa: PLC0415
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415
    from cannery.tasks.report.settings import SettingsReport  # noqa: PLC0415

    settings, origins = resolve_settings(read_project(folder_of(line)))
    try:
        found, refused = load(folder_of(line)).found, None
    except CanneryError as error:  # the settings are shown all the same: they are what mends it
        found, refused = (), error.what
    print_report(SettingsReport(settings, origins, found, refused), json=json)
