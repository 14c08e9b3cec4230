"""``invoke cythonize``: the project's packages, compiled, with no image around them."""

from __future__ import annotations

from cannery.tasks.flags import JSON, CommandLine, command
from cannery.tasks.project import app_of

__all__ = ["cythonize"]


@command(
    "python",
    help={
        "python": "Python to compile for: a version such as 3.12, or a path (default: the one that runs this).",
        "wheel": "Make a wheel of the project, with extension modules and no source, in dist/.",
        "output": "Folder to write to (default: build, or dist for a wheel).",
        "target": "Another platform or C library, as Zig calls it: x86_64-linux-gnu.2.17.",
        "json": JSON,
    },
)
def cythonize(
    line: CommandLine, wheel: bool = False, output: str | None = None, target: str | None = None, json: bool = False
) -> None:
    """Compile the project's packages into extension modules.

    They're written to build/, and can be imported from there. Settings come from [tool.cannery.cython] in
    pyproject.toml. Only what has changed is compiled, and nothing is written beside the sources.
    """
    from msgspec.structs import replace  # noqa: PLC0415

    from cannery.recipes.packages import cythonize as compile_packages  # noqa: PLC0415
    from cannery.tasks.report.packages import PackagesReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415
    from cannery.workspace.files import user_path  # noqa: PLC0415

    app = app_of(line, library=True)
    if target is not None:
        cython = replace(app.settings.cython, target=target)
        app = replace(app, settings=replace(app.settings, cython=cython))
    folder = user_path(output).absolute() if output else app.folder / ("dist" if wheel else "build")
    with shown_workspace(quiet=json) as workspace:
        made = compile_packages(app, workspace, folder, wheel=wheel)
    print_report(PackagesReport(made, wheel), json=json)
