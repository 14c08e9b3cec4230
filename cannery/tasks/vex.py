"""``invoke vex``: which known vulnerabilities can't be in an image, as what has them isn't there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import JSON, CommandLine, command
from cannery.tasks.project import app_of, folder_of

if TYPE_CHECKING:
    from cannery.bom.inventory import Inventory
    from cannery.workspace.workspace import Workspace

__all__ = ["vex"]


@command(
    *BUILD_FLAGS,
    help={
        "list": "A file with the vulnerabilities: OSV's records, or what uv audit says (default: ask uv audit).",
        "image": "An archive, an OCI layout, or an image in an engine or a registry (default: the project's own).",
        "output": "A file to write an OpenVEX document to, for scanners.",
        "attach": "Attach that document to the image, which --image names in its registry.",
        "json": JSON,
    },
)
def vex(
    line: CommandLine,
    list: str | None = None,
    image: str | None = None,
    output: str | None = None,
    attach: bool = False,
    json: bool = False,
) -> None:
    """Tell which known vulnerabilities can't be in an image.

    If the image lacks what is vulnerable, the verdict is 'not affected', with the evidence: a distribution that
    nothing requires, a module that nothing imports. If it's there, the verdict is 'under investigation'. The same
    list and the same image give the same document, to the byte.
    """
    from cannery.bom.openvex import openvex  # noqa: PLC0415
    from cannery.bom.reach import assessed  # noqa: PLC0415
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.recipes.vex import attach_vex, listed_vulnerabilities  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415
    from cannery.tasks.report.vex import VexReport  # noqa: PLC0415
    from cannery.workspace.files import replacing, user_path  # noqa: PLC0415

    if attach and image is None:
        raise ConfigurationError("--attach is for an image in a registry", step="name it: --image REGISTRY/NAME:TAG")
    with shown_workspace(quiet=json) as workspace:
        known = listed_vulnerabilities(list, folder_of(line), workspace)
        inventory, digest = _inventory(image, line, workspace)
        found = tuple(assessed(known, inventory))
        if attach and image is not None:
            attach_vex(image, found, workspace)
    if output is not None:
        with replacing(user_path(output).absolute()) as stream:
            stream.write(openvex(found, inventory.name, digest))
    print_report(VexReport(inventory.name, found), json=json)


def _inventory(image: str | None, line: CommandLine, workspace: Workspace) -> tuple[Inventory, str | None]:
    """The inventory of ``image``, or of the project's own; with the digest of its manifest where that was built."""
    from cannery.recipes.build import build  # noqa: PLC0415
    from cannery.recipes.inventory import inventory_of  # noqa: PLC0415
    from cannery.tasks.sbom import inventory_named  # noqa: PLC0415

    if image is not None:
        return inventory_named(image, line, workspace), None
    built = build(app_of(line), workspace)
    return inventory_of(built, workspace), str(built.image.digest)
