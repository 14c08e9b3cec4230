"""``invoke kit``: what the recipe static links from, as one file."""

from __future__ import annotations

from cannery.tasks.flags import JSON, CommandLine, command, typed
from cannery.tasks.project import folder_of

__all__ = ["kit"]


@command(
    help={
        "python": "Version of the Python in it, such as 3.13 (default: the newest that there is a kit of).",
        "platform": "Platform of the executables: linux/amd64 or linux/arm64 (default: this machine's).",
        "versions": "List the versions of Python and of the libraries that kits are built from; build nothing.",
        "output": "Where to write it, a file or a folder (default: dist/python-VERSION-PLATFORM.kit).",
        "json": JSON,
    },
)
def kit(
    line: CommandLine,
    python: str | None = None,
    platform: str | None = None,
    output: str | None = None,
    versions: bool = False,
    json: bool = False,
) -> None:
    """Write a kit: what static executables are linked from.

    A kit is for one version of Python and one platform. It's built from sources, which takes some minutes, and is the
    same wherever it's built. Name it in the setting static.kit or in CANNERY_KIT, and no build makes one of its own.
    Sources are taken from the folder CANNERY_SOURCES if they are there, and downloaded otherwise.
    """
    from cannery.executable.kit.file import write_kit  # noqa: PLC0415
    from cannery.executable.kit.kit import built_kit, file_name, kit_python  # noqa: PLC0415
    from cannery.executable.kit.toolchain import native_target  # noqa: PLC0415
    from cannery.tasks.report.kit import KitReport, VersionsReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415
    from cannery.workspace.files import user_path  # noqa: PLC0415

    if versions:
        print_report(VersionsReport(), json=json)
        return
    minor = kit_python(python)
    with shown_workspace(quiet=json) as workspace:
        made = built_kit(platform or native_target().platform, minor, workspace)
        path = user_path(output).absolute() if output else folder_of(line) / "dist"
        path = path / file_name(made) if path.is_dir() or not output else path
        digest = write_kit(made.folder, path)
    step = typed("image", {"recipe": "static", "platform": platform})
    print_report(KitReport(made, path, digest, step), json=json)
