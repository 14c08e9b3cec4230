"""From a plan to an image: each tree becomes a layer, packed now or by an earlier build."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cannery.image.image import ImageIndex, assemble
from cannery.project.app import LOCK_FILE
from cannery.recipes.layers import layer_of
from cannery.recipes.named import recipe_named
from cannery.recipes.plan import Built, Plan
from cannery.recipes.platforms import for_one_platform
from cannery.recipes.sbom_layer import sbom_tree
from cannery.workspace.eviction import trim
from cannery.workspace.files import ChangedFileError, OtherFilesError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cannery.image.image import Image
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["build", "build_plan", "mending", "plan_of", "whole"]

Made = TypeVar("Made")


def build(app: App, workspace: Workspace) -> Built:
    """Build the image of ``app`` by the recipe that its settings name, for one platform.

    That is this machine's where they name several; :class:`ConfigurationError` is raised where it's none of these. What
    was damaged in the cache is made anew, and that is said; where something was packed, the cache is held to its size.
    """
    app = for_one_platform(app)

    def once() -> Built:
        return build_plan(plan_of(app, workspace), workspace, level=app.settings.compression_level)

    built = mending(once, workspace)
    keep = app.settings.cache_bytes
    if built.packed and keep is not None and (freed := trim(workspace.cache, keep)):
        workspace.progress(f"removed {freed / 1e6:,.0f} MB of the cache that were used longest ago (cache-size)")
    return built


def plan_of(app: App, workspace: Workspace) -> Plan:
    """The plan for ``app`` by the recipe that its settings name, for one platform.

    Raises :class:`ConfigurationError` where that isn't what ``cannery.lock`` holds.
    """
    if (app.folder / LOCK_FILE).is_file():
        from cannery.recipes.lock import check_lock  # noqa: PLC0415  # many projects have none

        check_lock(app)
    plan = recipe_named(app.settings.recipe)(for_one_platform(app), workspace)
    if app.settings.layers == "shared":
        from cannery.recipes.split_layers import split_layers  # noqa: PLC0415  # few ask for it

        return split_layers(plan, workspace)
    return plan


def whole(built: Sequence[Built]) -> Image | ImageIndex:
    """The image that was built, or the index of several."""
    return built[0].image if len(built) == 1 else ImageIndex(tuple(each.image for each in built))


def mending(make: Callable[[], Made], workspace: Workspace) -> Made:
    """What ``make`` returns, called again where a file of the cache turns out to be damaged, which goes first."""
    mended: set[Path] = set()
    while True:
        try:
            return make()
        except OtherFilesError as error:
            _look_again(workspace)
            if error.place is None or error.place in mended:
                raise
            mended.add(error.place)
            workspace.progress(f"{error.place} holds other files than before: going by those")
        except ChangedFileError as error:
            _look_again(workspace)
            entry = workspace.cache.entry_of(error.place) if error.place else None
            if entry is None or entry in mended:
                raise
            mended.add(entry)
            workspace.progress(f"{error.place} of the cache is damaged: making it anew")
            workspace.cache.remove(entry)


def _look_again(workspace: Workspace) -> None:
    """Forget what was looked at for the images before: a file isn't what it was then."""
    if workspace.looked_at is not None:
        workspace.looked_at.clear()


def build_plan(plan: Plan, workspace: Workspace, *, level: int) -> Built:
    """Build ``plan``, its layers compressed with gzip's ``level``."""
    made = [layer_of(name, tree, workspace, level=level) for name, tree in plan.layers]
    if plan.app.settings.sbom:
        listed = sbom_tree(plan, [each.layer for each in made], workspace)
        made.append(layer_of("sbom", listed, workspace, level=level))
    image = assemble(tuple(each.layer for each in made), plan.config, plan.platform, plan.base)
    packed = frozenset(each.layer.name for each in made if each.packed)
    decisions = tuple(decision for each in made for decision in each.decisions)
    return Built(plan.app, image, packed, plan.notes, plan.base, decisions, plan.contents)
