"""``invoke cythonize``: the project's packages, compiled, with no image around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app

if TYPE_CHECKING:
    from invoke.context import Context

    from cannery.recipes.packages import Cythonized

__all__ = ["cythonize"]


@task(
    help={
        "wheel": "Make a wheel of the project, with extension modules and no source, in dist/.",
        "output": "Folder to write to (default: build, or dist for a wheel).",
        "target": "Another platform or C library, as Zig calls it: x86_64-linux-gnu.2.17.",
        "python": "Python to compile for: a version such as 3.12, or a path (default: the one that runs this).",
        "project": BUILD_HELP["project"],
        "json": "Print the result as JSON, and nothing else, on standard output.",
    },
    auto_shortflags=False,
)
@friendly
def cythonize(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    wheel: bool = False,
    output: str | None = None,
    target: str | None = None,
    python: str | None = None,
    project: str | None = None,
    json: bool = False,
) -> None:
    """Compile the project's packages into extension modules.

    They're written to build/, where they can be imported as they stand. Settings come from [tool.cannery.cython] in
    pyproject.toml; only what has changed is compiled, and nothing is left beside the sources.
    """
    import json as encoder  # noqa: PLC0415
    from dataclasses import replace  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from cannery.recipes.packages import cythonize as compile_packages  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.workspace.files import user_path  # noqa: PLC0415

    app = load_app(project, library=True, python=python)
    if target is not None:
        cython = msgspec.structs.replace(app.settings.cython, target=target)
        app = replace(app, settings=msgspec.structs.replace(app.settings, cython=cython))
    folder = user_path(output).absolute() if output else app.folder / ("dist" if wheel else "build")
    with shown_workspace(quiet=json) as workspace:
        made = compile_packages(app, workspace, folder, wheel=wheel)
    if json:
        print(encoder.dumps(made.as_json(), indent=2))
    else:
        _print(made, wheel=wheel)


def _print(made: Cythonized, *, wheel: bool) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415

    from cannery.tasks.report.image import human_size, shown_path  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    where = escape(shown_path(made.path))
    console.print(f"[bold]{where}[/]  {len(made.modules)} extension modules, {human_size(made.size)}")
    step = f"pip install {where}" if wheel else f"PYTHONPATH={where} python"
    console.print(f"\nNext: [bold]{step}[/]")
