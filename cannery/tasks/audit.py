"""``invoke audit``: what is wrong with an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app, project_folder
from cannery.tasks.image import built_image

if TYPE_CHECKING:
    from invoke.context import Context

    from cannery.audit.report import AuditReport

__all__ = ["audit"]


@task(
    help={
        "image": "An archive, an OCI layout, or an image of an engine (default: the project's own, built if needed).",
        "fail-on": "How bad a finding must be to fail: critical, high, medium, low, info or never (default: high).",
        "readable": "List what anybody can read in the app's compiled modules and bytecode.",
        "json": "Print the result as JSON, and nothing else, on standard output.",
        "sarif": "The same as SARIF 2.1.0.",
        "engine": BUILD_HELP["engine"],
        "recipe": BUILD_HELP["recipe"],
        "project": BUILD_HELP["project"],
    },
    auto_shortflags=False,
)
@friendly
def audit(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    image: str | None = None,
    fail_on: str = "high",
    readable: bool = False,
    json: bool = False,
    sarif: bool = False,
    engine: str | None = None,
    recipe: str | None = None,
    project: str | None = None,
) -> None:
    """Look for what remains of the source, for secrets and more.

    The image is read as it is, layer by layer, and nothing of it is run or unpacked; what a later layer deletes is
    found, too. The exit code is 9 where a finding is as bad as --fail-on says, or worse. What is meant to be there is
    allowed in pyproject.toml: [tool.cannery.audit] allow = ["CAN501", "CAN102:/app/main.pyc"].
    """
    from cannery.audit.audit import close_gate  # noqa: PLC0415

    report = _audited(image, fail_on, project, engine, recipe, readable=readable, quiet=json or sarif)
    _print(report, json=json, sarif=sarif)
    close_gate(report)


def _audited(
    image: str | None,
    fail_on: str,
    project: str | None,
    engine: str | None,
    recipe: str | None,
    *,
    readable: bool,
    quiet: bool,
) -> AuditReport:
    from cannery.audit import audit as auditing  # noqa: PLC0415
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415
    from cannery.tasks.report.progress import showing_progress  # noqa: PLC0415

    auditing.severity_named(fail_on)
    if image is None:
        app = load_app(project, engine="none", recipe=recipe)
        built_image(app, quiet=quiet)
        image = str(app.archive)
    described = read_project(project_folder(project))
    settings, _ = resolve_settings(described, {"engine": engine})
    with showing_progress(quiet=quiet) as progress:
        return auditing.audit(
            image,
            settings,
            distribution=described.distribution,
            fail_on=fail_on,
            readable=readable,
            progress=progress,
        )


def _print(report: AuditReport, *, json: bool, sarif: bool) -> None:
    if json or sarif:
        import json as encoder  # noqa: PLC0415

        from cannery.audit.sarif import as_sarif  # noqa: PLC0415

        print(encoder.dumps(as_sarif(report) if sarif else report.as_json(), indent=2))
        return
    from rich.console import Console  # noqa: PLC0415

    report.print(Console(highlight=False, soft_wrap=True))
