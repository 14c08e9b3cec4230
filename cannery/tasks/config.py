"""``invoke config``: which settings are in force, and where each comes from."""

from __future__ import annotations

from cannery.tasks.flags import CommandLine, command
from cannery.tasks.project import folder_of

__all__ = ["config"]


@command(help={"json": "Print JSON instead of a table."})
def config(line: CommandLine, json: bool = False) -> None:
    """Show every setting, its value, and where that comes from.

    A flag beats the environment, which beats pyproject.toml, which beats the default.
    """
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415
    from cannery.tasks.report.settings import SettingsReport  # noqa: PLC0415

    print_report(SettingsReport(*resolve_settings(read_project(folder_of(line)))), json=json)
