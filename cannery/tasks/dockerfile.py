"""``invoke dockerfile``: a recipe as a Dockerfile."""

from __future__ import annotations

from cannery.tasks.flags import CommandLine, command
from cannery.tasks.project import app_of

__all__ = ["dockerfile"]


@command(
    *("recipe", "base"),
    help={
        "output": "Where to write it, its .dockerignore beside it; - prints it (default: Dockerfile in the project).",
        "pin": "Ask the base's registry what its tag means today, and write that digest down.",
        "check": "Write nothing; fail if the file isn't what would be written.",
        "force": "Replace a Dockerfile or .dockerignore that cannery did not make.",
    },
)
def dockerfile(
    line: CommandLine, output: str | None = None, pin: bool = False, check: bool = False, force: bool = False
) -> None:
    """Write a recipe as a Dockerfile, with its .dockerignore.

    For platforms that only build from a Dockerfile. It has several stages, installs dependencies before sources, and
    doesn't run as root; the image behaves like the one that 'image' makes. For tiny and static, a
    stage runs cannery itself. A digest in the file stays until --pin looks it up again.
    """
    from cannery.recipes.dockerfile.file import DockerfileTarget, render_files  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.workspace.invocation import program_name  # noqa: PLC0415
    from cannery.workspace.streams import say, show  # noqa: PLC0415

    app = app_of(line)
    flags = "".join(f" --{name} {value}" for name, value in line.settings.items() if value)
    target = DockerfileTarget(None) if output == "-" else DockerfileTarget.of(app, output)
    with shown_workspace() as workspace:
        rendered = render_files(app, workspace, target, flags=flags, pin=pin)
    if output == "-":
        print(rendered.dockerfile, end="")
        return
    for note in rendered.notes:
        show(f"note     {note}")
    if check:
        target.check(rendered, f"{program_name()} dockerfile{flags}")
        say(f"{target.shown} is up to date")
        return
    for path in target.write(rendered, force=force):
        say(f"wrote    {path}")
    say(f"\nNext: docker build --tag {app.name}:{app.settings.tag} .")
