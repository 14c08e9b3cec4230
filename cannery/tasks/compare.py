"""``invoke compare``: the ways to pack the project, measured side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.tasks.check import TIMEOUT, patience
from cannery.tasks.flags import JSON, CommandLine, command, flags_of
from cannery.tasks.project import app_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["compare"]

_SETTINGS: Final = ("base", "runtime", "python", "strip", "compile")
_FEWEST: Final = 3  # rounds


@command(
    *_SETTINGS,
    help={
        "recipes": "Recipes to compare: scratch,tiny (default: all).",
        "probe": 'What to ask the program: arguments such as "--version", or an address such as http://:8000/health.',
        "peers": "Other tools to compare with: pex,shiv,pyinstaller,staticx or all; uv fetches them.",
        "rounds": "How often each is started (default: 7).",
        "timeout": TIMEOUT,
        "markdown": "A file to write the tables to as Markdown, for a pull request.",
        "html": "A file to write a page with charts and maps to; it needs no other file.",
        "json": JSON,
    },
)
def compare(
    line: CommandLine,
    recipes: str | None = None,
    peers: str | None = None,
    probe: str | None = None,
    rounds: int = 7,
    timeout: str | None = None,
    markdown: str | None = None,
    html: str | None = None,
    json: bool = False,
) -> None:
    """Measure the project by each recipe, side by side.

    Builds the project by each recipe and shows side by side: its size on disk and to pull, and how much is sent
    again after one line has changed; how long builds take; the time to the first answer, memory, and requests per
    second; what the audit finds; whether a second build makes the same bytes. The program is asked what the setting
    check says, or else on its port. If a recipe can't build the project, its row says why. It takes some minutes.
    """
    from cannery.comparison.peers.table import peers_named  # noqa: PLC0415
    from cannery.recipes.comparing.compare import CompareOptions  # noqa: PLC0415
    from cannery.recipes.comparing.compare import compare as compared  # noqa: PLC0415
    from cannery.recipes.named import RECIPES, recipe_named  # noqa: PLC0415
    from cannery.tasks.report.compare import CompareReport, as_markdown  # noqa: PLC0415
    from cannery.tasks.report.compare_page import compare_page  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    chosen = _names(recipes) or RECIPES
    for name in chosen:
        recipe_named(name)
    options = CompareOptions(
        chosen,
        probe,
        _rounds(rounds),
        patience(timeout),
        tuple(_words(flags_of(line))),
        peers_named(_names(peers)),
    )
    with shown_workspace(quiet=json) as workspace:
        found = compared(lambda recipe: app_of(line, recipe=recipe), options, workspace)
    if markdown:
        _write(markdown, as_markdown(found))
    if html:
        _write(html, compare_page(found))
    print_report(CompareReport(found), json=json)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in (text or "").split(","))))


def _rounds(given: int) -> int:
    """The number of rounds; raises :class:`ConfigurationError` where there would be no spread."""
    from cannery.errors import ConfigurationError  # noqa: PLC0415

    if given < _FEWEST:
        raise ConfigurationError(f"--rounds {given} are too few to tell a spread", step=f"take {_FEWEST} or more")
    return given


def _words(flags: Mapping[str, object]) -> Iterable[str]:
    for name, value in flags.items():
        flag = f"--{name.replace('_', '-')}"
        yield flag if value is True else f"{flag}={value}"


def _write(path: str, text: str) -> None:
    from cannery.workspace.files import replacing, user_path  # noqa: PLC0415

    with replacing(user_path(path).absolute()) as stream:
        stream.write(text.encode())
