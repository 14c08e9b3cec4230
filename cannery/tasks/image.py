"""``invoke image``: from the project to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app, program_name

if TYPE_CHECKING:
    from invoke.context import Context

__all__ = ["image"]


@task(
    help={**BUILD_HELP, "json": "Print the result as JSON, and nothing else, on standard output."},
    auto_shortflags=False,
)
@friendly
def image(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    recipe: str | None = None,
    base: str | None = None,
    platform: str | None = None,
    tag: str | None = None,
    output: str | None = None,
    python: str | None = None,
    project: str | None = None,
    strip: bool = False,
    compile: bool = False,
    refresh: bool = False,
    engine: str | None = None,
    json: bool = False,
) -> None:
    """Build the project's container image.

    It's written to dist/, and loaded where Docker or Podman answers.

    No Docker, no Dockerfile and no base image is needed. The archive is an OCI layout and a docker archive at once:
    'docker load', 'podman load' and 'skopeo copy oci-archive:' take it. Settings come from [tool.cannery] in
    pyproject.toml; a flag beats them, and so does a variable such as CANNERY_TAG.
    """
    import json as encoder  # noqa: PLC0415

    from cannery.images import make_image  # noqa: PLC0415

    app = load_app(
        project,
        recipe=recipe,
        base=base,
        platform=platform,
        tag=tag,
        output=output,
        python=python,
        strip=strip or None,
        compile=compile or None,
        engine=engine,
    )
    report = make_image(app, quiet=json, refresh=refresh)
    if json:
        print(encoder.dumps(report.as_json(), indent=2))
        return
    from rich.console import Console  # noqa: PLC0415

    report.print(Console(highlight=False, soft_wrap=True), program_name())
