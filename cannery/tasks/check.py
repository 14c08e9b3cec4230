"""``invoke check``: whether the image does what a virtual environment does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import JSON, CommandLine, command, words_behind
from cannery.tasks.project import app_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.check.question import Question
    from cannery.project.app import App
    from cannery.recipes.check import Checked
    from cannery.recipes.plan import Built
    from cannery.workspace.workspace import Workspace

__all__ = ["TIMEOUT", "asked_of", "check", "checked", "patience"]

TIMEOUT: Final = "Seconds that the program gets to end, or to answer (default: 60)."


@command(*BUILD_FLAGS, help={"timeout": TIMEOUT, "json": JSON})
def check(line: CommandLine, timeout: str | None = None, json: bool = False) -> None:
    """Compare the image with a virtual environment.

    Builds the image first if something has changed. Then the program runs twice, in its image and in a virtual
    environment with the same requirements, and its exit codes and outputs are compared, or a server's answers. Say
    what to ask behind --, or by the setting check: arguments, or an address such as http://:8000/health. By default
    the app's own modules are imported, and a server is asked for /. The exit code is 11 if something differs, and 12
    if the program fails in both.
    """
    from cannery.recipes.build import build  # noqa: PLC0415
    from cannery.tasks.report.check import CheckReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    seconds = patience(timeout)
    app = app_of(line)
    asked = asked_of(words_behind(line), app)
    with shown_workspace(quiet=json) as workspace:
        found = checked(build(app, workspace), workspace, asked, seconds)
    report = CheckReport(found)
    print_report(report, json=json)
    report.close()


def checked(
    built: Built, workspace: Workspace, asked: Sequence[Question] | None = None, seconds: float = 60.0
) -> Checked:
    """An image asked, by the setting ``check`` unless something else is ``asked``."""
    from cannery.recipes.check import check as compared  # noqa: PLC0415

    return compared(built, asked_of((), built.app) if asked is None else asked, workspace, patience=seconds)


def patience(timeout: str | None) -> float:
    """The seconds that the flag --timeout means."""
    from cannery.errors import ConfigurationError  # noqa: PLC0415

    try:
        seconds = 60.0 if timeout is None else float(timeout)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise ConfigurationError(f"--timeout {timeout!r} is no number of seconds", step="write it as --timeout 60")
    return seconds


def asked_of(words: Sequence[str], app: App) -> tuple[Question, ...]:
    """What to ask: the words behind ``--``, or else the setting."""
    from cannery.check.question import called, is_address, questions  # noqa: PLC0415
    from cannery.trees.scripts import command_names  # noqa: PLC0415

    commands = command_names(app)
    if words:
        return questions(words) if all(map(is_address, words)) else (called(words, commands),)
    given = app.settings.check
    return questions([given] if isinstance(given, str) else given, commands)
