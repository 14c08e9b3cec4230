"""``invoke sizes``: what takes the bytes of an image, and what changed against another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import JSON, CommandLine, command
from cannery.tasks.project import app_of, folder_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.project.settings import Settings
    from cannery.sizes.parts import ImageSizes
    from cannery.workspace.workspace import Workspace

__all__ = ["sizes"]


@command(
    *BUILD_FLAGS,
    help={
        "image": "An archive, an OCI layout, or an image in an engine or a registry (default: the project's own).",
        "against": "An earlier image, given in the same way: show what grew, shrank, came and went since then.",
        "max_growth": "Fail if the image grew by more than this, to pull: 1MB or 5%. Needs --against.",
        "budget": "Fail if the image takes more than this to pull: 50MB.",
        "why": "Show which imports bring each distribution in (for the project's own image).",
        "all": "Show everything, and not only what is large.",
        "html": "Write a page with a map of the image to this file.",
        "json": JSON,
    },
)
def sizes(
    line: CommandLine,
    image: str | None = None,
    against: str | None = None,
    max_growth: str | None = None,
    budget: str | None = None,
    why: bool = False,
    all: bool = False,
    html: str | None = None,
    json: bool = False,
) -> None:
    """Show what takes the bytes of an image.

    Lists the layers, and the distributions, modules and libraries in them, each with its bytes and its share of the
    compressed layer, which is what is pulled. Without --image it's the project's own image, built first if
    something has changed. As a gate for pull requests, the exit code is 13 if the image is larger than --budget,
    --max-growth or [tool.cannery.sizes] allow.
    """
    from cannery.sizes.difference import SizesDifference, check_budget, check_growth  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415
    from cannery.tasks.report.sizes import DifferenceReport, SizesReport  # noqa: PLC0415

    settings = _settings(line)
    limits = settings.sizes
    other = against or limits.against
    _check(why=why, image=image, other=other, max_growth=max_growth)
    with shown_workspace(quiet=json) as workspace:
        found = _sizes_of(image, line, settings, workspace)
        reasons = _reasons(line, workspace) if why else {}
        before = _sizes_of(other, line, settings, workspace) if other else None
    if html:
        _write(html, found)
    if before is None:
        print_report(SizesReport(found, reasons, everything=all), json=json)
    else:
        print_report(DifferenceReport(SizesDifference(before, found), reasons, everything=all), json=json)
        check_growth(SizesDifference(before, found), max_growth or limits.max_growth)
    check_budget(found, budget or limits.budget)


def _settings(line: CommandLine) -> Settings:
    from cannery.project.precedence import resolve_settings  # noqa: PLC0415
    from cannery.project.pyproject import read_project  # noqa: PLC0415

    given = {name: line.settings[name] for name in ("engine", "platform")}
    return resolve_settings(read_project(folder_of(line)), given)[0]


def _check(*, why: bool, image: str | None, other: str | None, max_growth: str | None) -> None:
    """Raise :class:`ConfigurationError` for flags that have no meaning together."""
    from cannery.errors import ConfigurationError  # noqa: PLC0415

    if why and image:
        raise ConfigurationError("--why is about the project's own image", step="leave out --image, or --why")
    if max_growth and not other:
        raise ConfigurationError("--max-growth is growth against another image", step="name it: --against IMAGE")


def _sizes_of(image: str | None, line: CommandLine, settings: Settings, workspace: Workspace) -> ImageSizes:
    from cannery.image.platform import Platform  # noqa: PLC0415
    from cannery.recipes.sizes import sizes_of_app, sizes_of_image  # noqa: PLC0415

    if image is None:
        return sizes_of_app(app_of(line), workspace)
    platform = Platform.parse(settings.platforms[0]) if settings.platforms else None
    return sizes_of_image(image, settings.engine, platform, workspace)


def _reasons(line: CommandLine, workspace: Workspace) -> Mapping[str, tuple[str, ...]]:
    """The way from the program's start to each module that it imports."""
    from cannery.recipes.imports import imports_of  # noqa: PLC0415

    reach = imports_of(app_of(line), workspace)
    return {name: tuple(module for module, _ in reversed(reach.why(name))) for name in reach.modules}


def _write(path: str, found: ImageSizes) -> None:
    from cannery.tasks.report.sizes_page import page  # noqa: PLC0415
    from cannery.workspace.files import replacing, user_path  # noqa: PLC0415

    with replacing(user_path(path).absolute()) as stream:
        stream.write(page(found).encode())
