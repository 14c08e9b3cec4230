"""``invoke run``: the image, run by an engine, or where none is there."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app

if TYPE_CHECKING:
    from invoke.context import Context

__all__ = ["run"]

_HELP = {name: BUILD_HELP[name] for name in ("recipe", "base", "python", "project", "strip", "compile", "engine")}


@task(help=_HELP, auto_shortflags=False)
@friendly
def run(
    context: Context,
    recipe: str | None = None,
    base: str | None = None,
    python: str | None = None,
    project: str | None = None,
    strip: bool = False,
    compile: bool = False,
    engine: str | None = None,
) -> None:
    """Run the image: invoke run -- ARGS.

    Builds it first where something has changed. Docker or Podman runs it where one answers, its ports published on
    127.0.0.1; otherwise it runs in namespaces of its own over the unpacked image, with the machine's network. Either
    way it's read-only, with no capabilities, as the image's user; exit code and signals are the program's.
    """
    from cannery.tasks.running import run_image  # noqa: PLC0415

    app = load_app(
        project, recipe=recipe, base=base, python=python, strip=strip or None, compile=compile or None, engine=engine
    )
    code = run_image(app, _arguments(context))
    if code:
        sys.exit(code)


def _arguments(context: Context) -> list[str]:
    """What stands behind ``--``: word by word where the command line can be seen, as Invoke joins the words."""
    behind = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return behind if context.remainder == " ".join(behind) else shlex.split(context.remainder)
