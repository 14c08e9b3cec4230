"""``invoke image``: from the project to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, command_line, friendly, load_app

if TYPE_CHECKING:
    from invoke.context import Context

    from cannery.project.app import App
    from cannery.recipes.dockerfile.build import BuildOptions
    from cannery.tasks.report.image import ImageReport

__all__ = ["built_image", "image"]


@task(
    help={
        **BUILD_HELP,
        "builder": "Who builds: cannery, or docker, from the recipe's Dockerfile (default: cannery).",
        "docker_builder": "With --builder docker: the name of a builder of buildx, such as a build farm.",
        "cache_from": "With --builder docker: where to take layers from, as docker build has it.",
        "cache_to": "With --builder docker: where to keep layers, as docker buildx build has it.",
        "json": "Print the result as JSON, and nothing else, on standard output.",
    },
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
    builder: str | None = None,
    docker_builder: str | None = None,
    cache_from: str | None = None,
    cache_to: str | None = None,
    explain: bool = False,
    json: bool = False,
) -> None:
    """Build the project's container image.

    It's written to dist/, and loaded where Docker or Podman answers.

    No Docker, no Dockerfile and no base image is needed. The archive is an OCI layout and a docker archive at once:
    'docker load', 'podman load' and 'skopeo copy oci-archive:' take it. Settings come from [tool.cannery] in
    pyproject.toml; a flag beats them, and so does a variable such as CANNERY_TAG.
    """
    import json as encoder  # noqa: PLC0415

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
        builder=builder,
    )
    if app.settings.builder == "docker":
        from cannery.recipes.dockerfile.build import BuildOptions  # noqa: PLC0415

        _build_with_docker(app, BuildOptions(docker_builder, cache_from, cache_to), json=json)
        return
    report = built_image(app, quiet=json, refresh=refresh)
    if json:
        print(encoder.dumps(report.as_json(), indent=2))
        return
    from rich.console import Console  # noqa: PLC0415

    from cannery.tasks.report.decisions import print_decisions  # noqa: PLC0415

    flags = {"recipe": recipe, "base": base, "python": python, "project": project, "strip": strip, "compile": compile}
    console = Console(highlight=False, soft_wrap=True)
    report.print(console, command_line("run", flags))
    if explain:
        print_decisions(report.made.built.decisions, console)


def built_image(app: App, *, quiet: bool = False, refresh: bool = False) -> ImageReport:
    """Build the image of ``app``, write its archive and load it; ``quiet`` shows no progress."""
    import time  # noqa: PLC0415

    from cannery.recipes.image import make_image  # noqa: PLC0415
    from cannery.tasks.report.image import ImageReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    began = time.perf_counter()
    with shown_workspace(quiet=quiet, refresh=refresh) as workspace:
        made = make_image(app, workspace)
    return ImageReport(made, time.perf_counter() - began)


def _build_with_docker(app: App, options: BuildOptions, *, json: bool) -> None:
    import json as encoder  # noqa: PLC0415
    import shlex  # noqa: PLC0415

    from cannery.recipes.dockerfile.build import build_with_docker  # noqa: PLC0415
    from cannery.tasks.report.image import human_size  # noqa: PLC0415
    from cannery.workspace.workspace import Workspace  # noqa: PLC0415

    built = build_with_docker(app, Workspace.default(), options, quiet=json)
    if json:
        print(encoder.dumps(built.as_json(), indent=2))
        return
    print(f"\n{built.references[0]}  {app.settings.recipe}, built by {built.client}")
    print(f"id       {built.id}")
    print(f"size     {human_size(built.size)}")
    print(f"took     {built.seconds:.2f} s")
    for note in built.notes:
        print(f"note     {note}")
    program = "podman" if app.settings.engine == "podman" else "docker"
    print(f"\nNext: {shlex.join([program, 'run', '--rm', *built.references])}")
