"""``invoke dockerfile``: a recipe as a Dockerfile."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app, program_name

if TYPE_CHECKING:
    from invoke.context import Context

__all__ = ["dockerfile"]


@task(
    help={
        "recipe": BUILD_HELP["recipe"],
        "base": BUILD_HELP["base"],
        "output": "Where to write it, its .dockerignore beside it; - prints it (default: Dockerfile in the project).",
        "pin": "Ask the base's registry what its tag means today, and write that digest down.",
        "check": "Write nothing; fail when the file isn't what would be written.",
        "force": "Replace a Dockerfile or .dockerignore that cannery did not make.",
        "project": BUILD_HELP["project"],
    },
    auto_shortflags=False,
)
@friendly
def dockerfile(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    recipe: str | None = None,
    base: str | None = None,
    output: str | None = None,
    pin: bool = False,
    check: bool = False,
    force: bool = False,
    project: str | None = None,
) -> None:
    """Write a recipe as a Dockerfile, with its .dockerignore.

    It's for platforms that build from nothing else: several stages, dependencies before sources, a user that is not
    root. It behaves as the image that 'image' makes. The recipes slim, cython, scratch and onefile
    have one. A digest that the file names stays until --pin looks it up again.
    """
    from cannery.recipes.dockerfile.file import DockerfileTarget, render_files  # noqa: PLC0415
    from cannery.workspace.workspace import Workspace  # noqa: PLC0415

    app = load_app(project, recipe=recipe, base=base)
    flags = "".join(f" --{name} {value}" for name, value in (("recipe", recipe), ("base", base)) if value)
    if output == "-":
        print(render_files(app, Workspace.default(), DockerfileTarget(None), flags=flags, pin=pin).dockerfile, end="")
        return
    target = DockerfileTarget.of(app, output)
    rendered = render_files(app, Workspace.default(), target, flags=flags, pin=pin)
    for note in rendered.notes:
        print(f"note     {note}", file=sys.stderr)
    if check:
        target.check(rendered, f"{program_name()} dockerfile{flags}")
        print(f"{target.shown} is up to date")
        return
    for path in target.write(rendered, force=force):
        print(f"wrote    {path}")
    print(f"\nNext: docker build --tag {app.name}:{app.settings.tag} .")
