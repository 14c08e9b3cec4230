"""``invoke freeze``: from the project to an executable."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_app

if TYPE_CHECKING:
    from invoke.context import Context

__all__ = ["freeze"]

_HELP = {
    **{name: BUILD_HELP[name] for name in ("python", "project", "compile")},
    "form": "static (one file that needs nothing of the system), file (PyInstaller's own) or folder.",
    "json": "Print the result as JSON, and nothing else, on standard output.",
}


@task(help=_HELP, auto_shortflags=False)
@friendly
def freeze(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    form: str = "static",
    python: str | None = None,
    project: str | None = None,
    compile: bool = False,  # the flag's name
    json: bool = False,
) -> None:
    """Make one executable of the project: dist/NAME.

    Python, the dependencies and the app are in it; the static one brings the C library as well, and runs on any Linux.
    It takes the extra cannery[onefile]; settings come from [tool.cannery] and [tool.cannery.onefile].
    """
    import json as encoder  # noqa: PLC0415

    from cannery.config import did_you_mean  # noqa: PLC0415
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.freezing import freeze as make  # noqa: PLC0415
    from cannery.programs import Form  # noqa: PLC0415

    forms = get_args(Form)
    if form not in forms:
        raise ConfigurationError(
            f"there is no form {form!r}", evidence=did_you_mean(form, forms), step=f"forms are: {', '.join(forms)}"
        )
    report = make(load_app(project, python=python, compile=compile or None), cast("Form", form), quiet=json)
    if json:
        print(encoder.dumps(report.as_json(), indent=2))
        return
    from rich.console import Console  # noqa: PLC0415

    report.print(Console(highlight=False, soft_wrap=True))
