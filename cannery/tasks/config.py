"""``invoke config``: which settings are in force, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, project_folder

if TYPE_CHECKING:
    from invoke.context import Context

__all__ = ["config"]


@task(
    help={"project": BUILD_HELP["project"], "json": "Print JSON instead of a table."},
    auto_shortflags=False,
)
@friendly
def config(context: Context, project: str | None = None, json: bool = False) -> None:  # noqa: ARG001
    """Show every setting, its value, and where that comes from.

    A flag beats the environment, which beats pyproject.toml, which beats the default.
    """
    import json as encoder  # noqa: PLC0415

    import msgspec  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415

    settings, origins = resolve_settings(read_project(project_folder(project)))
    values = msgspec.to_builtins(settings)
    rows = [(key, value, origins.get(key, "default")) for key, value in values.items()]
    if json:
        print(encoder.dumps({key: {"value": value, "from": origin} for key, value, origin in rows}, indent=2))
        return
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for key, value, origin in rows:
        table.add_row(key, encoder.dumps(value), f"[dim]{origin}[/]" if origin == "default" else origin)
    Console(highlight=False, soft_wrap=True).print(table)
