"""``invoke prune``: what cannery made goes, once it was shown and agreed to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.tasks import task

from cannery.tasks.common import BUILD_HELP, friendly, load_engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.context import Context

    from cannery.containers.prune import Removal

__all__ = ["prune"]


@task(
    help={
        "yes": "Don't ask.",
        "dry_run": "Show what would go, and remove nothing.",
        "running": "Stop and remove cannery's running containers, too.",
        "all": "Remove whatever the engine doesn't use, whoever made it, as 'docker system prune -a' does.",
        "keep": "How much of cannery's own cache to keep: 5GB, 500MB, 0.",
        "engine": BUILD_HELP["engine"],
        "project": BUILD_HELP["project"],
    },
    auto_shortflags=False,
)
@friendly
def prune(
    context: Context,  # noqa: ARG001  # Invoke hands it over
    yes: bool = False,
    dry_run: bool = False,
    running: bool = False,
    all: bool = False,
    keep: str = "5GB",
    engine: str | None = None,
    project: str | None = None,
) -> None:
    """Remove what cannery made and nobody uses.

    It's shown with its size first, and asked about. That is: stopped containers of 'run' and 'explore', untagged
    images that cannery built, the caches of cannery's other versions, and of its own cache what was used longest ago.
    What others made stays, unless --all is given.
    """
    from cannery.containers.prune import Scope, removals  # noqa: PLC0415
    from cannery.errors import MachineError  # noqa: PLC0415
    from cannery.tasks.report.image import human_size  # noqa: PLC0415
    from cannery.workspace.cache import default_cache  # noqa: PLC0415
    from cannery.workspace.eviction import bytes_of  # noqa: PLC0415

    scope = Scope(bytes_of(keep), running=running, everything=all)
    found = removals(load_engine(project, engine), default_cache(), scope)
    if not found:
        print("nothing to remove")
        return
    _show(found)
    if dry_run:
        return
    if not yes and not sys.stdin.isatty():
        raise MachineError("there is no terminal to ask on, so nothing was removed", step="add --yes, or --dry-run")
    if not yes and input("\nRemove all that? [y/N] ").strip().lower() not in {"y", "yes"}:
        print("nothing was removed")
        return
    refused = [each for each in found if not _removed(each)]
    print(f"removed, {human_size(sum(each.size for each in found if each not in refused))} freed")
    if refused:
        raise MachineError(
            f"{len(refused)} of {len(found)} could not be removed",
            evidence="\n".join(f"{each.kind} {each.name}" for each in refused),
            step="something uses it by now: cannery prune --dry-run shows what can still go",
        )


def _removed(removal: Removal) -> bool:
    """Remove something; False, and why, where that is refused: the rest can go all the same."""
    from cannery.errors import CanneryError  # noqa: PLC0415
    from cannery.workspace.streams import show  # noqa: PLC0415

    try:
        removal.remove()
    except CanneryError as error:
        show(str(error))
        return False
    return True


def _show(found: Sequence[Removal]) -> None:
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from cannery.tasks.report.image import human_size  # noqa: PLC0415

    total = human_size(sum(removal.size for removal in found))
    table = Table(box=box.SIMPLE, pad_edge=False, show_footer=True)
    table.add_column("would go", "together")
    table.add_column("", f"{len(found):,}")
    table.add_column("frees", total, justify="right")
    for removal in found:
        table.add_row(removal.kind, escape(removal.name), human_size(removal.size))
    Console(highlight=False, soft_wrap=True).print(table)
