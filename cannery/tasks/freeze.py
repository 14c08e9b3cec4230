"""``invoke freeze``: from the project to an executable."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.context import Context

__all__ = ["freeze"]

_HELP = {
    **{name: BUILD_HELP[name] for name in ("python", "project", "compile", "explain")},
    "recipe": "onefile (by PyInstaller) or static (unpacks nothing); default: the project's, or else onefile.",
    "form": "Of onefile: static (needs nothing of the system; default), file (PyInstaller's own) or folder.",
    "platform": "Of static: linux/amd64 or linux/arm64 (default: this machine's).",
    "sizes": "Say what each part takes in onefile's static file, compressed, to the byte.",
    "json": "Print the result as JSON, and nothing else, on standard output.",
}


@task(help=_HELP, auto_shortflags=False)
@friendly
def freeze(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    recipe: str | None = None,
    form: str | None = None,
    platform: str | None = None,
    python: str | None = None,
    project: str | None = None,
    compile: bool = False,  # the flag's name
    sizes: bool = False,
    explain: bool = False,
    json: bool = False,
) -> None:
    """Make one executable of the project: dist/NAME.

    Python, the dependencies and the app are in it; the static one brings the C library as well, and runs on any Linux.
    It takes the extra cannery[onefile], or cannery[static]; settings come from [tool.cannery] and its table for the
    recipe.
    """
    import json as encoder  # noqa: PLC0415
    import time  # noqa: PLC0415

    from cannery.executable.program import Form  # noqa: PLC0415
    from cannery.recipes.freeze import freeze as make  # noqa: PLC0415
    from cannery.tasks.report.program import ProgramReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415

    _check("recipe", recipe, ("onefile", "static"))
    _check("form", form, get_args(Form))
    app = load_app(project, recipe=recipe, platform=platform, python=python, compile=compile or None)
    began = time.perf_counter()
    with shown_workspace(quiet=json) as workspace:
        made = make(app, workspace, cast("Form | None", form), sizes=sizes)
    report = ProgramReport(made, time.perf_counter() - began)
    if json:
        print(encoder.dumps(report.as_json(), indent=2))
        return
    from rich.console import Console  # noqa: PLC0415

    from cannery.tasks.report.decisions import print_decisions  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    report.print(console)
    if explain:
        print_decisions(made.program.tree.tree.decisions, console)


def _check(what: str, chosen: str | None, choices: Sequence[str]) -> None:
    from cannery.errors import ConfigurationError, did_you_mean  # noqa: PLC0415

    if chosen is not None and chosen not in choices:
        raise ConfigurationError(
            f"there is no {what} {chosen!r} for an executable",
            evidence=did_you_mean(chosen, choices),
            step=f"{what}s are: {', '.join(choices)}",
        )
