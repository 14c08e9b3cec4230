"""``invoke imports``: what the program imports, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app

if TYPE_CHECKING:
    from invoke.context import Context

__all__ = ["imports"]


@task(
    help={
        "why": "Show what leads to this module.",
        "json": "Print all of it as JSON.",
        "python": BUILD_HELP["python"],
        "project": BUILD_HELP["project"],
    },
    auto_shortflags=False,
)
@friendly
def imports(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    why: str | None = None,
    json: bool = False,
    python: str | None = None,
    project: str | None = None,
) -> None:
    """Show what the program imports, and why.

    It's read from the sources of the app, its dependencies and the standard library; nothing of them is run, but for
    the command that the setting trace names.
    """
    import json as encoder  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from cannery.recipes.imports import imports_of  # noqa: PLC0415
    from cannery.tasks.report.imports import overview, reasons  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    app = load_app(project, python=python)
    with shown_workspace(quiet=json) as workspace:
        found = imports_of(app, workspace)
    if json:
        print(encoder.dumps(msgspec.to_builtins(found), indent=2))
        return
    print("\n".join(reasons(found, why) if why else overview(found)))
