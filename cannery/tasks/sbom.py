"""``invoke sbom``: what is in an image, as a table or as a bill of materials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import JSON, CommandLine, command
from cannery.tasks.project import app_of, folder_of

if TYPE_CHECKING:
    from cannery.bom.inventory import Inventory
    from cannery.containers.engine.discovery import Choice
    from cannery.image.platform import Platform
    from cannery.workspace.workspace import Workspace

__all__ = ["asked_for", "inventory_named", "sbom"]


@command(
    *BUILD_FLAGS,
    help={
        "image": "An archive, an OCI layout, or an image in an engine or a registry (default: the project's own).",
        "format": "Print a bill of materials instead of a table: cyclonedx (1.6) or spdx (2.3), both JSON.",
        "output": "A file to write the bill of materials to: spdx if its name says so, or else cyclonedx.",
        "json": JSON,
    },
)
def sbom(
    line: CommandLine,
    image: str | None = None,
    format: str | None = None,
    output: str | None = None,
    json: bool = False,
) -> None:
    """List what is in an image, or write it as an SBOM.

    Lists the distributions, the interpreter, libraries, a system's packages, and which modules were left out.
    Without --image it's the project's own image, built first if something has changed. The same image always has
    the same bill of materials, to the byte: it contains no time and no random number.
    """
    from cannery.bom.formats import format_of, written  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415
    from cannery.tasks.report.sbom import InventoryReport  # noqa: PLC0415
    from cannery.workspace.files import replacing, user_path  # noqa: PLC0415
    from cannery.workspace.streams import say  # noqa: PLC0415

    wanted = format_of(format, output)
    with shown_workspace(quiet=json or wanted is not None) as workspace:
        inventory = inventory_named(image, line, workspace)
    if output is not None and wanted is not None:
        with replacing(user_path(output).absolute()) as stream:
            stream.write(written(inventory, wanted))
    elif wanted is not None:
        say(written(inventory, wanted).decode().removesuffix("\n"))
    if json or wanted is None:
        print_report(InventoryReport(inventory), json=json)


def inventory_named(image: str | None, line: CommandLine, workspace: Workspace) -> Inventory:
    """The inventory of ``image``, or of the project's own where that is None."""
    from cannery.recipes.build import build  # noqa: PLC0415
    from cannery.recipes.inventory import inventory_of, inventory_of_image  # noqa: PLC0415

    if image is None:
        return inventory_of(build(app_of(line), workspace), workspace)
    return inventory_of_image(image, *asked_for(line), workspace)


def asked_for(line: CommandLine) -> tuple[Choice, Platform | None]:
    """The engine and the platform by which an image is found that isn't the project's own."""
    from cannery.image.platform import Platform  # noqa: PLC0415
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415

    given = {name: line.settings[name] for name in ("engine", "platform")}
    settings, _ = resolve_settings(read_project(folder_of(line)), given)
    return settings.engine, Platform.parse(settings.platforms[0]) if settings.platforms else None
