"""``invoke prune``: what cannery made goes, once it was shown and agreed to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cannery.tasks.flags import CommandLine, command
from cannery.tasks.project import engine_of, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.containers.prune import Removal

__all__ = ["prune"]


@command(
    "engine",
    help={
        "yes": "Don't ask.",
        "dry_run": "Show what would go, and remove nothing.",
        "running": "Stop and remove cannery's running containers, too.",
        "all": "Remove whatever the engine doesn't use, whoever made it, as 'docker system prune -a' does.",
        "only": "Only this kind, or several with commas: containers, images, cache.",
        "name": "Only this container or image of cannery's, by its name or ID; several with commas.",
        "keep": "How much of cannery's own cache to keep: 5GB, 500MB, 0 (default: the setting cache-size).",
    },
)
def prune(
    line: CommandLine,
    yes: bool = False,
    dry_run: bool = False,
    running: bool = False,
    all: bool = False,
    only: str | None = None,
    name: str | None = None,
    keep: str | None = None,
) -> None:
    """Remove what cannery made and nothing uses any more.

    Shows what would be removed, with its size, and asks. That is: stopped containers of 'run' and 'explore',
    untagged images that cannery built, caches of other versions of cannery, and what hasn't been used for the
    longest time in its own cache. What other programs made stays, unless you say --all.
    """
    from cannery.containers.prune import Scope, removals  # noqa: PLC0415
    from cannery.errors import MachineError  # noqa: PLC0415
    from cannery.tasks.report.text import human_size  # noqa: PLC0415
    from cannery.workspace.cache import default_cache  # noqa: PLC0415
    from cannery.workspace.eviction import bytes_of  # noqa: PLC0415
    from cannery.workspace.invocation import program_name  # noqa: PLC0415
    from cannery.workspace.streams import say  # noqa: PLC0415

    kinds, names = _kinds(only), _listed(name)
    limit = settings_of(line).cache_bytes if keep is None else bytes_of(keep)
    scope = Scope(limit, running=running, everything=all, kinds=kinds, names=names)
    found = removals(engine_of(line), default_cache(), scope)
    if not found:
        say(f"nothing to remove{_kept(limit)}")
        return
    say("\n".join(_table(found)))
    if dry_run:
        return
    if not yes and not sys.stdin.isatty():
        raise MachineError("there is no terminal to ask on, so nothing was removed", step="add --yes, or --dry-run")
    if not yes and input("\nRemove all that? [y/N] ").strip().lower() not in {"y", "yes"}:
        say("nothing was removed")
        return
    freed = {each.name: _removed(each) for each in found}
    refused = [each for each in found if freed[each.name] is None]
    say(f"removed, {human_size(sum(size or 0 for size in freed.values()))} freed{_kept(limit)}")
    if refused:
        raise MachineError(
            f"{len(refused)} of {len(found)} could not be removed",
            evidence="\n".join(f"{each.kind} {each.name}" for each in refused),
            step=f"something uses it by now: {program_name()} prune --dry-run shows what can still go",
        )


def _kept(limit: int | None) -> str:
    """A word on how much the cache keeps."""
    from cannery.tasks.report.text import human_size  # noqa: PLC0415

    return "; the cache keeps all" if limit is None else f"; the cache keeps {human_size(limit)} (cache-size, --keep)"


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in (text or "").split(","))))


def _kinds(only: str | None) -> frozenset[str]:
    """The kinds that ``--only`` names, all without it; raises :class:`ConfigurationError` for another word."""
    from cannery.containers.prune import KINDS  # noqa: PLC0415
    from cannery.errors import ConfigurationError, did_you_mean  # noqa: PLC0415

    for kind in (wanted := _listed(only)):
        if kind not in KINDS:
            what, kinds = f"there is no kind {kind!r} to remove", f"kinds are: {', '.join(sorted(KINDS))}"
            raise ConfigurationError(what, evidence=did_you_mean(kind, KINDS), step=kinds)
    return frozenset(wanted) or KINDS


def _removed(removal: Removal) -> int | None:
    """Remove something and return the bytes that came free; where that's refused, say why and return None.

    The rest can be removed all the same.
    """
    from cannery.errors import CanneryError  # noqa: PLC0415
    from cannery.workspace.streams import show  # noqa: PLC0415

    try:
        freed = removal.remove()
    except CanneryError as error:
        show(str(error))
        return None
    return removal.size if freed is None else freed


def _table(found: Sequence[Removal]) -> Iterator[str]:
    from cannery.tasks.report.text import Column, human_size, ruled  # noqa: PLC0415

    frees = human_size(sum(removal.size for removal in found))
    columns = (Column("would go", "together"), Column("", f"{len(found):,}"), Column("frees", frees, right=True))
    return ruled(columns, [(removal.kind, removal.name, human_size(removal.size)) for removal in found])
