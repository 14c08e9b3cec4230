"""``invoke watch``: the image runs, and starts again with each change of a file."""

from __future__ import annotations

import sys

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import CommandLine, command, words_behind
from cannery.tasks.project import app_of

__all__ = ["watch"]


@command(*BUILD_FLAGS)
def watch(line: CommandLine) -> None:
    """Run the image, and put each file that you change into it.

    If Docker or Podman is running, changed modules go into the running container at once, as bytecode, and the
    program is restarted, or gets the signal that the setting watch-signal names. Without an engine it's restarted
    with the new files. Everything else is as with 'run', except that an engine's container isn't mounted read-only:
    the engine writes the changed files into it.
    """
    from cannery.recipes.watch import watch as watch_app  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.workspace.streams import show  # noqa: PLC0415

    code = watch_app(lambda: app_of(line), words_behind(line), shown_workspace, show)
    if code:
        sys.exit(code)
