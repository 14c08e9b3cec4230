"""From a plan to an image: each tree becomes a layer, packed now or by an earlier build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.image.image import assemble
from cannery.recipes.layers import layer_of
from cannery.recipes.named import recipe_named
from cannery.recipes.plan import Built, Plan

if TYPE_CHECKING:
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["build", "build_plan"]


def build(app: App, workspace: Workspace) -> Built:
    """Build the image of ``app`` by the recipe that its settings name."""
    plan = recipe_named(app.settings.recipe)(app, workspace)
    return build_plan(plan, workspace, level=app.settings.compression_level)


def build_plan(plan: Plan, workspace: Workspace, *, level: int) -> Built:
    """Build ``plan``, its layers compressed with gzip's ``level``."""
    made = [layer_of(name, tree, workspace, level=level) for name, tree in plan.layers]
    image = assemble(tuple(each.layer for each in made), plan.config, plan.platform, plan.base)
    packed = frozenset(each.layer.name for each in made if each.packed)
    decisions = tuple(decision for each in made for decision in each.decisions)
    return Built(plan.app, image, packed, plan.notes, plan.base, decisions)
