"""``invoke audit``: what is wrong with an image."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import JSON, CommandLine, command
from cannery.tasks.project import app_of, folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.audit.report import AuditReport
    from cannery.tasks.report.audit import AuditText

__all__ = ["audit"]


@command(
    *BUILD_FLAGS,
    help={
        "image": "An archive, an OCI layout, or an image in an engine or a registry (default: the project's own).",
        "fail-on": "How bad a finding must be to fail: critical, high, medium, low, info or never (default: high).",
        "readable": "List the texts that anybody can read in the app's compiled modules and bytecode.",
        "known": "A file with known vulnerabilities, as for vex --list: tell which of them the image can have.",
        "json": JSON,
        "sarif": "Print the result as SARIF 2.1.0, for code scanning.",
    },
)
def audit(
    line: CommandLine,
    image: str | None = None,
    fail_on: str = "high",
    readable: bool = False,
    known: str | None = None,
    json: bool = False,
    sarif: bool = False,
) -> None:
    """Look for source code, secrets and other faults in an image.

    It reads the image layer by layer and runs nothing in it. It also finds files that a later layer deletes. The exit
    code is 9 if a finding is as bad as --fail-on says, or worse. To allow what is meant to be there, name it in
    pyproject.toml: [tool.cannery.audit] allow = ["CAN501", "CAN102:/app/main.pyc"].
    """
    from cannery.audit.audit import close_gate, severity_named  # noqa: PLC0415
    from cannery.tasks.report.audit import AuditText  # noqa: PLC0415

    severity_named(fail_on)
    quiet = json or sarif
    with _here(image, line, quiet=quiet) if image else _built(line, quiet=quiet) as meant:
        report = _audited(line, meant, fail_on, readable=readable, quiet=quiet)
        shown = AuditText(report) if sarif else _with_inventory(report, line, meant, known, quiet=quiet)
    _print(shown, json=json, sarif=sarif)
    close_gate(report)


@contextmanager
def _here(image: str, line: CommandLine, *, quiet: bool) -> Iterator[str]:
    """The name of ``image`` on this machine, where it is copied to from its registry until the block's end."""
    from cannery.recipes.any_image import local_image  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.sbom import asked_for  # noqa: PLC0415

    with ExitStack() as stack:
        with shown_workspace(quiet=quiet) as workspace:
            engine, platform = asked_for(line)
            name = stack.enter_context(local_image(image, engine, platform, workspace))
        yield name


@contextmanager
def _built(line: CommandLine, *, quiet: bool) -> Iterator[str]:
    """The path of an archive of the project's own image, built where something has changed; gone at the block's end.

    The archive in ``dist/`` stays what it is: it may be of another recipe.
    """
    from cannery.image.media.archive import Archive  # noqa: PLC0415
    from cannery.recipes.build import build  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    app = app_of(line)
    with ExitStack() as stack:
        with shown_workspace(quiet=quiet) as workspace:
            image = build(app, workspace).image
            path = stack.enter_context(workspace.cache.scratch()) / "image.tar"
            Archive(path).write(image, app.references, progress=workspace.progress)
        yield str(path)


def _audited(line: CommandLine, image: str, fail_on: str, *, readable: bool, quiet: bool) -> AuditReport:
    from cannery.audit.audit import audit as audit_image  # noqa: PLC0415
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415
    from cannery.tasks.report.progress import showing_progress  # noqa: PLC0415

    project = read_project(folder_of(line))
    settings, _ = resolve_settings(project, {"engine": line.settings["engine"]})
    with showing_progress(quiet=quiet) as progress:
        return audit_image(
            image,
            settings,
            distribution=project.distribution,
            fail_on=fail_on,
            readable=readable,
            progress=progress,
        )


def _with_inventory(
    report: AuditReport, line: CommandLine, image: str, listed: str | None, *, quiet: bool
) -> AuditText:
    """The report with the inventory of ``image``, and with what can be said of the vulnerabilities ``listed``."""
    from cannery.bom.reach import assessed  # noqa: PLC0415
    from cannery.errors import ConfigurationError, ImageError  # noqa: PLC0415
    from cannery.recipes.vex import listed_vulnerabilities  # noqa: PLC0415
    from cannery.tasks.report.audit import AuditText  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.sbom import inventory_named  # noqa: PLC0415

    with shown_workspace(quiet=quiet) as workspace:
        known = listed_vulnerabilities(listed, folder_of(line), workspace) if listed is not None else None
        try:
            inventory = inventory_named(_without_transport(image), line, workspace)
        except (ConfigurationError, ImageError) as error:  # for another platform, say: an audit reads that as well
            if known is not None:
                raise
            return AuditText(report, unlisted=error.what)
    return AuditText(report, inventory, tuple(assessed(known, inventory)) if known is not None else None)


def _without_transport(image: str) -> str:
    """The image without skopeo's word for where it lies."""
    return re.sub(r"^(?:docker-archive|oci-archive|oci|docker-daemon|containers-storage):", "", image)


def _print(shown: AuditText, *, json: bool, sarif: bool) -> None:
    from cannery.audit.sarif import as_sarif  # noqa: PLC0415
    from cannery.tasks.report.report import print_json, print_report  # noqa: PLC0415

    if sarif:
        print_json(as_sarif(shown.report))
    else:
        print_report(shown, json=json)
