"""``invoke kit``: what the recipe static links from, as one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, command_line, friendly, project_folder

if TYPE_CHECKING:
    from invoke.context import Context

__all__ = ["kit"]


@task(
    help={
        "python": "Version of the Python in it; there is one: 3.11.",
        "platform": "Platform of the executables: linux/amd64 or linux/arm64 (default: this machine's).",
        "output": "Where to write it, a file or a folder (default: dist/python-VERSION-PLATFORM.kit).",
        "project": BUILD_HELP["project"],
        "json": "Print the result as JSON, and nothing else, on standard output.",
    },
    auto_shortflags=False,
)
@friendly
def kit(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    python: str | None = None,
    platform: str | None = None,
    output: str | None = None,
    project: str | None = None,
    json: bool = False,
) -> None:
    """Write what static executables are linked from: a kit.

    A kit is for one version of Python and one platform. It's built from sources, which takes some minutes, and is the
    same wherever it's built. Who names it in the setting static.kit, or in CANNERY_KIT, builds none. Sources are looked
    for in the folder CANNERY_SOURCES, then fetched.
    """
    import json as encoder  # noqa: PLC0415
    import shlex  # noqa: PLC0415

    from cannery.executable.kit.kit import built_kit, built_version, file_name, write_kit  # noqa: PLC0415
    from cannery.executable.kit.toolchain import native_target  # noqa: PLC0415
    from cannery.tasks.report.image import human_size, shown_path  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.workspace.files import user_path  # noqa: PLC0415

    built_version(python)
    folder = project_folder(project) / "dist"
    with shown_workspace(quiet=json) as workspace:
        made = built_kit(platform or native_target().platform, workspace)
        path = user_path(output).absolute() if output else folder
        path = path / file_name(made) if path.is_dir() or not output else path
        digest = write_kit(made, path)
    size = path.stat().st_size
    if json:
        print(encoder.dumps({"path": str(path), "digest": str(digest), "size": size}, indent=2))
        return
    print(f"{shown_path(path)}  Python {made.interpreter.version_text} for {made.target.platform}, {human_size(size)}")
    flags = {"recipe": "static", "platform": platform}
    print(f"{digest}\n\nNext: CANNERY_KIT={shlex.quote(shown_path(path))} {command_line('image', flags)}")
