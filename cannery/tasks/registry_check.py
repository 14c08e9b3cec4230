"""``invoke registry-check``: what a registry can do, tried."""

from __future__ import annotations

from cannery.tasks.flags import JSON, CommandLine, command, words_behind
from cannery.tasks.project import folder_of

__all__ = ["registry_check"]


@command("repository", help={"json": JSON})
def registry_check(line: CommandLine, json: bool = False) -> None:
    """Find out what a registry can do.

    'registry-check -- REPOSITORY' tries what pushes may use, with a few bytes that it deletes again: a blob as a
    whole and in chunks, a mount into REPOSITORY-check, an artifact, a tag that moves, a manifest that refers to
    another. It shows which of these the registry can do, and what that means for a push.
    """
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.registry_check import RegistryReport, tried  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    words = words_behind(line)
    settings = resolve_settings(read_project(folder_of(line)), dict(line.settings))[0]
    named = words[0] if len(words) == 1 else settings.repository
    if named is None or len(words) > 1:
        raise ConfigurationError(
            "a check is of one repository" if words else "nothing says which repository to try",
            evidence=" ".join(words),
            step="name it:  registry-check -- ghcr.io/TEAM/APP",
        )
    with shown_workspace(quiet=json) as workspace:
        report: RegistryReport = tried(named, workspace)
    print_report(report, json=json)
