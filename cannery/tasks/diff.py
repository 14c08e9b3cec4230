"""``invoke diff``: what differs between two images."""

from __future__ import annotations

from cannery.tasks.flags import JSON, CommandLine, command
from cannery.tasks.project import folder_of

__all__ = ["diff"]


@command(
    "platform",
    "engine",
    help={
        "before": "An archive, an OCI layout, or an image in an engine or a registry.",
        "after": "The other image, given in the same way.",
        "contents": "End with 0 if files and configuration are the same, however they are packed.",
        "platform": "Platform of the images (default: every one that both have).",
        "json": JSON,
    },
)
def diff(line: CommandLine, before: str, after: str, contents: bool = False, json: bool = False) -> None:
    """Show what differs between two images, down to the byte.

    'diff BEFORE AFTER' compares configurations, layers and files: what is new or gone, which files have another
    mode, owner or time, how many bytes differ and where, and which modules these bytes belong to. The exit code is
    0 if the digests are equal, and 14 if they aren't.
    """
    from cannery.errors import OtherImageError  # noqa: PLC0415
    from cannery.image.platform import Platform  # noqa: PLC0415
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415
    from cannery.recipes.difference import difference_of  # noqa: PLC0415
    from cannery.tasks.report.difference import ImagesDifferenceReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    named = line.settings["platform"]
    settings, _ = resolve_settings(read_project(folder_of(line)), {"engine": line.settings["engine"]})
    platform = Platform.parse(str(named)) if named else None
    with shown_workspace(quiet=json) as workspace:
        found = difference_of(before, after, settings.engine, platform, workspace)
    print_report(ImagesDifferenceReport(found), json=json)
    if not (found.same or (contents and found.same_contents)):
        packed = "; their configuration and files are the same" if found.same_contents else ""
        raise OtherImageError(
            f"{before} and {after} are not the same image{packed}",
            step="--contents takes such images for the same" if found.same_contents else "",
        )
