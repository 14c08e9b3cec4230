"""``invoke freeze``: from the project to an executable."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast, get_args

from cannery.tasks.flags import JSON, CommandLine, command
from cannery.tasks.image import EXPLAIN
from cannery.tasks.project import app_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["freeze"]


@command(
    *("recipe", "platform", "python", "compile"),
    help={
        "recipe": "onefile (by PyInstaller) or static (unpacks nothing); default: the project's, or else onefile.",
        "platform": "For static: linux/amd64 or linux/arm64 (default: this machine's).",
        "form": "For onefile: static (needs nothing from the system; default), file (PyInstaller's) or folder.",
        "sizes": "Show how many bytes each part takes in onefile's static file, compressed.",
        "explain": EXPLAIN,
        "json": JSON,
    },
)
def freeze(
    line: CommandLine, form: str | None = None, sizes: bool = False, explain: bool = False, json: bool = False
) -> None:
    """Make one executable from the project: dist/NAME.

    It holds Python, the dependencies and the app; the static one also holds the C library, and runs on any Linux.
    The name shows recipe, form and platform, as in dist/NAME-static, so that none replaces another. You need the
    extra cannery[onefile] or cannery[static]. Settings come from [tool.cannery] and its table for the recipe.
    """
    from cannery.executable.program import Form  # noqa: PLC0415
    from cannery.recipes.freeze import freeze as make  # noqa: PLC0415
    from cannery.tasks.report.program import ProgramReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    began = time.perf_counter()
    _check("recipe", line.settings["recipe"], ("onefile", "static"))
    _check("form", form, get_args(Form))
    app = app_of(line)
    with shown_workspace(quiet=json) as workspace:
        made = make(app, workspace, cast("Form | None", form), suffix=_suffix(line, form), sizes=sizes)
    print_report(ProgramReport(made, time.perf_counter() - began, explain), json=json)


def _suffix(line: CommandLine, form: str | None) -> str:
    """The flags that say which executable is wanted, as the end of its name: "-static-linux-arm64"."""
    asked = (line.settings["recipe"], form, line.settings["platform"])
    return "".join(f"-{str(word).replace('/', '-')}" for word in asked if word)


def _check(what: str, chosen: object, choices: Sequence[str]) -> None:
    from cannery.errors import ConfigurationError, did_you_mean  # noqa: PLC0415

    if chosen is not None and chosen not in choices:
        raise ConfigurationError(
            f"there is no {what} {chosen!r} for an executable",
            evidence=did_you_mean(str(chosen), choices),
            step=f"{what}s are: {', '.join(choices)}",
        )
